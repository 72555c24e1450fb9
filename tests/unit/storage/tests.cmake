pl_unit_test(storage/test_keyring LIBS pl_storage)

pl_unit_test(storage/test_keyring LIBS pl_storage)
set(ledger_suite ${CMAKE_CURRENT_LIST_DIR}/ledger_suite.c)
pl_unit_test(storage/test_ledger_memory SOURCES ${ledger_suite} LIBS pl_storage)
pl_unit_test(storage/test_ledger_sqlite SOURCES ${ledger_suite} LIBS pl_storage PkgConfig::SQLITE)

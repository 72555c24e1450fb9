pl_unit_test(storage/test_keyring LIBS pl_storage)
set(ledger_rows ${CMAKE_CURRENT_LIST_DIR}/ledger_suite_rows.c)
set(ledger_suite ${CMAKE_CURRENT_LIST_DIR}/ledger_suite.c
    ${CMAKE_CURRENT_LIST_DIR}/ledger_suite_jobs.c
    ${CMAKE_CURRENT_LIST_DIR}/ledger_suite_uploads.c ${ledger_rows})
pl_unit_test(storage/test_ledger_memory SOURCES ${ledger_suite} LIBS pl_storage)
pl_unit_test(storage/test_ledger_sqlite SOURCES ${ledger_suite} LIBS pl_storage PkgConfig::SQLITE)
pl_unit_test(storage/test_object_local LIBS pl_storage)
pl_unit_test(storage/test_ledger_faults SOURCES ${ledger_rows} LIBS pl_storage PkgConfig::SQLITE)

pl_unit_test(engine/ingest/test_device SOURCES ${PROJECT_SOURCE_DIR}/tests/support/core_rig.c
    LIBS pl_ingest pl_storage)
pl_unit_test(engine/ingest/test_resend LIBS pl_ingest pl_storage)

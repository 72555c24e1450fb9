pl_unit_test(pipeline/codec/test_flate LIBS pl_pipeline PkgConfig::ZLIB)
pl_unit_test(pipeline/codec/test_g4 LIBS pl_pipeline PkgConfig::TIFF)
pl_unit_test(pipeline/pdf/test_pdf_out LIBS pl_pipeline)
pl_unit_test(pipeline/pdf/test_pdf_page LIBS pl_pipeline)
pl_unit_test(pipeline/codec/test_hostile_images LIBS pl_pipeline TIMEOUT 300
    SOURCES ${PROJECT_SOURCE_DIR}/tests/unit/pipeline/codec/reader_walk.c)
pl_unit_test(pipeline/test_plan LIBS pl_pipeline)
pl_fuzz_target(plan LIBS pl_pipeline)

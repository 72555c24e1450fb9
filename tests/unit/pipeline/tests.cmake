pl_unit_test(pipeline/codec/test_flate LIBS pl_pipeline PkgConfig::ZLIB)
pl_unit_test(pipeline/codec/test_g4 LIBS pl_pipeline PkgConfig::TIFF)

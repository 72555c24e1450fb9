pl_unit_test(pipeline/codec/test_flate LIBS pl_pipeline PkgConfig::ZLIB)
pl_unit_test(pipeline/codec/test_flate_rows LIBS pl_pipeline)
pl_unit_test(pipeline/codec/test_g4 LIBS pl_pipeline PkgConfig::TIFF)
pl_unit_test(pipeline/pdf/test_pdf_out LIBS pl_pipeline)
pl_unit_test(pipeline/pdf/test_pdf_page LIBS pl_pipeline)
pl_unit_test(pipeline/test_plan LIBS pl_pipeline)
pl_fuzz_target(plan LIBS pl_pipeline)

# What the reader tests share: a walk over documents, TIFF files in memory, pages as pixels.
if(NOT PLATEN_FUZZ)
    add_library(pl_test_reader STATIC unit/pipeline/codec/memory_tiff.c
        unit/pipeline/codec/page_pixels.c unit/pipeline/codec/reader_walk.c)
    target_link_libraries(pl_test_reader PUBLIC pl_pipeline PkgConfig::TIFF PkgConfig::JPEG
        PkgConfig::ZLIB)
endif()
pl_unit_test(pipeline/codec/test_hostile_images LIBS pl_test_reader TIMEOUT 300)
pl_unit_test(pipeline/codec/test_tiff_decode LIBS pl_test_reader)
pl_unit_test(pipeline/codec/test_tiff_in LIBS pl_test_reader)
pl_unit_test(pipeline/codec/test_jpeg_in LIBS pl_test_reader)
pl_unit_test(pipeline/codec/test_sniff LIBS pl_pipeline)
pl_unit_test(pipeline/codec/test_tiff_dir LIBS pl_pipeline)
pl_unit_test(pipeline/image/test_page LIBS pl_pipeline)
pl_unit_test(pipeline/codec/test_tiff_jpeg LIBS pl_test_reader)
pl_unit_test(pipeline/image/test_resolution LIBS pl_pipeline)

# The pipeline over plain files, without an engine; its results are judged by poppler, mupdf and qpdf.
if(NOT PLATEN_FUZZ)
    add_executable(convert_file ${PROJECT_SOURCE_DIR}/tests/support/convert_file.c)
    target_link_libraries(convert_file PRIVATE pl_pipeline)
    find_program(PLATEN_PYTHON python3)
    if(PLATEN_PYTHON)
        add_test(NAME convert_pixels COMMAND ${PLATEN_PYTHON}
            ${PROJECT_SOURCE_DIR}/tests/integration/convert_pixels.py $<TARGET_FILE:convert_file>)
        set_tests_properties(convert_pixels PROPERTIES TIMEOUT 1200 LABELS integration
            SKIP_RETURN_CODE 77)
    endif()
endif()
pl_fuzz_target(tiff_dir LIBS pl_pipeline)
pl_fuzz_target(tiff_in LIBS pl_pipeline)
pl_fuzz_target(jpeg_in LIBS pl_pipeline)
pl_unit_test(pipeline/codec/test_corpus_images LIBS pl_test_reader TIMEOUT 300)
pl_unit_test(pipeline/test_run LIBS pl_test_reader PkgConfig::JANSSON)

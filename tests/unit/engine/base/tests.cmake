# The base: one program a source.
set(plt1_object ${PROJECT_SOURCE_DIR}/tests/support/plt1_object.c)
pl_unit_test(engine/base/test_conf LIBS pl_base)
pl_unit_test(engine/base/test_digest LIBS pl_base)
pl_unit_test(engine/base/test_ids LIBS pl_base)
pl_unit_test(engine/base/test_plt1_vectors SOURCES ${plt1_object} LIBS pl_base PkgConfig::JANSSON)
if(TARGET test_plt1_vectors)
    target_compile_definitions(test_plt1_vectors PRIVATE
        PL_PLT1_VECTORS="${PROJECT_SOURCE_DIR}/tests/vectors/plt1/vectors.json")
endif()
pl_unit_test(engine/base/test_seal SOURCES ${plt1_object} LIBS pl_base)
pl_fuzz_target(conf LIBS pl_base)
pl_fuzz_target(seal_open LIBS pl_base)
target_sources(fuzz_seal_open PRIVATE ${plt1_object})

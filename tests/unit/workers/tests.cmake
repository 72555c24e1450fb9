# The real worker program with a pipeline whose documents are orders to misbehave.
if(NOT PLATEN_FUZZ)
    add_executable(platen-worker-payload ${PROJECT_SOURCE_DIR}/workers/worker_main.c
        ${PROJECT_SOURCE_DIR}/tests/support/payload_plan.c)
    target_link_libraries(platen-worker-payload PRIVATE pl_worker_side)
    pl_unit_test(workers/test_pool SOURCES support/worker_rig.c LIBS pl_workers pl_worker_side
        PkgConfig::UV TIMEOUT 120)
    target_compile_definitions(test_pool
        PRIVATE PAYLOAD_WORKER="$<TARGET_FILE:platen-worker-payload>")
    add_dependencies(test_pool platen-worker-payload)
endif()
pl_unit_test(workers/test_wire LIBS pl_wire)
pl_fuzz_target(wire LIBS pl_wire)

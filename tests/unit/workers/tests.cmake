# The real worker program with a pipeline whose documents are orders to misbehave.
if(NOT PLATEN_FUZZ)
    add_executable(platen-worker-payload ${PROJECT_SOURCE_DIR}/workers/worker_program.c
        ${PROJECT_SOURCE_DIR}/tests/support/payload_plan.c)
    target_link_libraries(platen-worker-payload PRIVATE pl_worker_side)
    pl_unit_test(workers/test_pool SOURCES support/worker_rig.c LIBS pl_workers pl_worker_side
        PkgConfig::UV TIMEOUT 120)
    target_compile_definitions(test_pool
        PRIVATE PAYLOAD_WORKER="$<TARGET_FILE:platen-worker-payload>")
    add_dependencies(test_pool platen-worker-payload)

    pl_unit_test(workers/test_pool_class SOURCES support/worker_rig.c LIBS pl_workers
        pl_worker_side PkgConfig::UV TIMEOUT 120)
    target_compile_definitions(test_pool_class
        PRIVATE PAYLOAD_WORKER="$<TARGET_FILE:platen-worker-payload>")
    add_dependencies(test_pool_class platen-worker-payload)
    pl_unit_test(workers/test_sandbox_interpreter LIBS pl_worker_side)

    add_executable(platen-worker-hostile ${PROJECT_SOURCE_DIR}/tests/support/hostile_worker.c)
    target_link_libraries(platen-worker-hostile PRIVATE pl_wire)
    pl_unit_test(workers/test_pool_hostile SOURCES support/worker_rig.c LIBS pl_workers
        pl_worker_side PkgConfig::UV)
    target_compile_definitions(test_pool_hostile
        PRIVATE HOSTILE_WORKER="$<TARGET_FILE:platen-worker-hostile>")
    add_dependencies(test_pool_hostile platen-worker-hostile)

    pl_unit_test(workers/test_launcher SOURCES support/worker_rig.c LIBS pl_workers pl_worker_side
        PkgConfig::UV)
    target_compile_definitions(test_launcher
        PRIVATE PAYLOAD_WORKER="$<TARGET_FILE:platen-worker-payload>")
    add_dependencies(test_launcher platen-worker-payload)

    # Integration: the real worker over whole folders of documents.
    add_executable(test_worker_documents
        ${PROJECT_SOURCE_DIR}/tests/integration/test_worker_documents.c support/worker_rig.c)
    target_link_libraries(test_worker_documents PRIVATE pl_workers pl_worker_side PkgConfig::UV
        PkgConfig::CMOCKA)
    target_compile_definitions(test_worker_documents
        PRIVATE PLATEN_WORKER="$<TARGET_FILE:platen-worker>")
    add_dependencies(test_worker_documents platen-worker)
    add_test(NAME worker_documents COMMAND test_worker_documents)
    set_tests_properties(worker_documents PROPERTIES TIMEOUT 900 LABELS integration)
endif()
pl_unit_test(workers/test_wire LIBS pl_wire)
pl_fuzz_target(wire LIBS pl_wire)
pl_unit_test(workers/test_sandbox LIBS pl_worker_side)
pl_unit_test(workers/test_scratch LIBS pl_workers)
pl_unit_test(workers/test_sealed_file LIBS pl_worker_side)
pl_unit_test(workers/test_verdict LIBS pl_workers)

# Torture: what needs root, a disk of its own, or minutes. Each says so and skips where it cannot run.
if(NOT PLATEN_FUZZ)
    add_executable(test_power_cut ${CMAKE_CURRENT_LIST_DIR}/test_power_cut.c)
    target_link_libraries(test_power_cut PRIVATE pl_storage PkgConfig::CMOCKA)
    add_test(NAME test_power_cut COMMAND test_power_cut)
    set_tests_properties(test_power_cut PROPERTIES TIMEOUT 120 LABELS torture)
endif()

# Integration: the real programs of this build, spoken to from outside. Python's standard library only.
find_package(Python3 COMPONENTS Interpreter)
function(pl_integration_test name)
    if(PLATEN_FUZZ OR NOT Python3_Interpreter_FOUND)
        return()
    endif()
    cmake_parse_arguments(I "" "TIMEOUT" "" ${ARGN})
    if(NOT I_TIMEOUT)
        set(I_TIMEOUT 300)
    endif()
    add_test(NAME integration_${name}
        COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/integration/test_${name}.py)
    set(environment PLATEN_BUILD=${PROJECT_BINARY_DIR} PYTHONDONTWRITEBYTECODE=1)
    if(PLATEN_SANITIZE)
        list(APPEND environment PLATEN_SANITIZED=1)
    endif()
    set_tests_properties(integration_${name} PROPERTIES TIMEOUT ${I_TIMEOUT} LABELS integration
        ENVIRONMENT "${environment}")
endfunction()

if(NOT TARGET platen) # nothing to speak to yet
    return()
endif()
pl_integration_test(scans)
pl_integration_test(door)
pl_integration_test(crash)
pl_integration_test(hostile TIMEOUT 900)

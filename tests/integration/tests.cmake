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

# PLT1 by two hands, ours in C and a second one over Debian's python3-cryptography; exit code 77 says
# that it is not installed.
find_program(PLATEN_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(PLATEN_PYTHON python3)

if(PLATEN_PYTHON AND NOT PLATEN_FUZZ)
    add_executable(plt1_tool ${PROJECT_SOURCE_DIR}/tests/support/plt1_tool.c
        ${PROJECT_SOURCE_DIR}/tests/support/plt1_object.c)
    target_link_libraries(plt1_tool PRIVATE pl_base)
    add_test(NAME plt1_second COMMAND ${PLATEN_PYTHON}
        ${PROJECT_SOURCE_DIR}/tests/integration/plt1_second.py $<TARGET_FILE:plt1_tool>
        ${PROJECT_SOURCE_DIR}/tests/vectors/plt1/vectors.json)
    set_tests_properties(plt1_second PROPERTIES TIMEOUT 120 LABELS integration
        SKIP_RETURN_CODE 77)
endif()

# How far two pictures are apart, and what a command costs: where scripts in Python are too slow or too large.
if(NOT PLATEN_FUZZ)
    add_executable(picture_compare ${PROJECT_SOURCE_DIR}/tests/support/picture_compare.c)
    target_link_libraries(picture_compare PRIVATE pl_base m)
    add_executable(run_measured ${PROJECT_SOURCE_DIR}/tests/support/run_measured.c)
    target_link_libraries(run_measured PRIVATE pl_base)
endif()

pl_integration_test(scans)
pl_integration_test(convert TIMEOUT 900)
pl_integration_test(documents TIMEOUT 600)
pl_integration_test(door)
pl_integration_test(duplicates)
pl_integration_test(crash)
pl_integration_test(full_disk)
pl_integration_test(hostile TIMEOUT 900)

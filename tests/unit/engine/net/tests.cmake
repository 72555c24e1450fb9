pl_unit_test(engine/net/test_loop LIBS pl_net)
pl_unit_test(engine/net/test_http_parse LIBS pl_net)
pl_unit_test(engine/net/test_http_chunked LIBS pl_net)
set(net_fixture ${PROJECT_SOURCE_DIR}/tests/support/http_fixture.c
    ${PROJECT_SOURCE_DIR}/tests/support/http_echo_handler.c)
pl_unit_test(engine/net/test_http_server SOURCES ${net_fixture} LIBS pl_net)
pl_unit_test(engine/net/test_http_limits SOURCES ${net_fixture} LIBS pl_net)
pl_unit_test(engine/net/test_tls SOURCES ${net_fixture} LIBS pl_net)
pl_fuzz_target(http_head LIBS pl_net)
pl_fuzz_target(http_chunked LIBS pl_net)

if(NOT PLATEN_FUZZ)
    add_executable(http_echo ${PROJECT_SOURCE_DIR}/tests/support/http_echo.c
        ${PROJECT_SOURCE_DIR}/tests/support/http_echo_handler.c)
    target_link_libraries(http_echo PRIVATE pl_net)
    find_program(PLATEN_PYTHON python3)
    if(PLATEN_PYTHON)
        add_test(NAME integration_http_hostile COMMAND ${PLATEN_PYTHON}
            ${PROJECT_SOURCE_DIR}/tests/integration/http_hostile.py $<TARGET_FILE:http_echo>)
        set_tests_properties(integration_http_hostile PROPERTIES TIMEOUT 120 LABELS integration
            SKIP_RETURN_CODE 77)
    endif()
    if(PLATEN_PYTHON AND NOT PLATEN_SANITIZE) # a sanitizer's own memory says nothing
        add_test(NAME integration_http_memory COMMAND ${PLATEN_PYTHON}
            ${PROJECT_SOURCE_DIR}/tests/integration/http_memory.py $<TARGET_FILE:http_echo>)
        set_tests_properties(integration_http_memory PROPERTIES TIMEOUT 120 LABELS integration
            SKIP_RETURN_CODE 77)
    endif()
endif()

# The oracle: llhttp as Debian ships it (package node-llhttp), compiled for this test only.
find_path(LLHTTP_SOURCES llhttp.c PATHS /usr/share/llhttp NO_DEFAULT_PATH)
find_path(LLHTTP_HEADER llhttp.h PATHS /usr/share/include/llhttp NO_DEFAULT_PATH)
if(LLHTTP_SOURCES AND LLHTTP_HEADER AND NOT PLATEN_FUZZ)
    add_library(llhttp_oracle STATIC ${LLHTTP_SOURCES}/llhttp.c ${LLHTTP_SOURCES}/api.c
        ${LLHTTP_SOURCES}/http.c)
    target_include_directories(llhttp_oracle SYSTEM PUBLIC ${LLHTTP_HEADER})
    target_compile_options(llhttp_oracle PRIVATE -w -O1)
    pl_unit_test(engine/net/test_http_differential LIBS pl_net llhttp_oracle)
    target_compile_definitions(test_http_differential PRIVATE
        PL_SOURCE_FOLDER="${PROJECT_SOURCE_DIR}")
elseif(NOT PLATEN_FUZZ)
    add_test(NAME test_http_differential COMMAND ${CMAKE_COMMAND} -E echo
        "skipped: the package node-llhttp, the oracle of this test, is not installed")
    set_tests_properties(test_http_differential PROPERTIES LABELS unit
        SKIP_REGULAR_EXPRESSION "skipped: ")
endif()

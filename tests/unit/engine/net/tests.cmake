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
endif()

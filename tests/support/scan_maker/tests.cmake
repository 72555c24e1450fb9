# scan_maker: the scans that the project makes itself, for tests, benchmarks and the quickstart.
if(NOT PLATEN_FUZZ)
    add_executable(scan_maker
        ${CMAKE_CURRENT_LIST_DIR}/scan_maker.c
        ${CMAKE_CURRENT_LIST_DIR}/scan_page.c
        ${CMAKE_CURRENT_LIST_DIR}/scan_write.c)
    target_link_libraries(scan_maker PRIVATE pl_build PkgConfig::TIFF PkgConfig::JPEG m)
endif()

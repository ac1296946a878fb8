# The daybook command loads libpq and libcrypto when it calls them, and not when it starts: that is
# more than half of the time that a command takes on a store in a file. See late_library.hpp.

# The name under which a program finds the shared library again; empty if it has none.
function(daybook_soname library result)
    set(${result} "" PARENT_SCOPE)
    if(CMAKE_READELF AND library MATCHES "\\.so")
        execute_process(COMMAND ${CMAKE_READELF} -d ${library}
            OUTPUT_VARIABLE dynamic ERROR_QUIET)
        if(dynamic MATCHES "SONAME[^[]*\\[([^]]+)\\]")
            set(${result} "${CMAKE_MATCH_1}" PARENT_SCOPE)
        endif()
    endif()
endfunction()

list(GET PostgreSQL_LIBRARIES 0 libpq)
daybook_soname("${libpq}" libpq_soname)
daybook_soname("${OPENSSL_CRYPTO_LIBRARY}" libcrypto_soname)
if(libpq_soname AND libcrypto_soname)
    set(late "${CMAKE_CURRENT_LIST_DIR}")
    target_sources(daybook PRIVATE
        ${late}/late_library.cpp ${late}/libpq.cpp ${late}/libcrypto.cpp)
    target_include_directories(daybook PRIVATE ${PostgreSQL_INCLUDE_DIRS} ${OPENSSL_INCLUDE_DIR})
    target_compile_definitions(daybook PRIVATE
        DAYBOOK_LIBPQ="${libpq_soname}" DAYBOOK_LIBCRYPTO="${libcrypto_soname}")
    # Their functions are in the program now: the libraries themselves need not be loaded.
    target_link_options(daybook PRIVATE -Wl,--as-needed)
    target_link_libraries(daybook PRIVATE ${CMAKE_DL_LIBS})
endif()

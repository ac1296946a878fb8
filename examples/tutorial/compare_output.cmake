# cmake -DPROGRAM=<file> -DEXPECTED=<file> -DDIRECTORY=<scratch> -DENGINE=sqlite|postgres
#     [-DSERVER=<file with the URI of a scratch database>] -P compare_output.cmake
# Runs the program on a store that is not there yet and compares what it prints. The environment
# variable DAYBOOK_TEST_POSTGRES names another server. The schema goes with the scratch database.
cmake_minimum_required(VERSION 3.22)

file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
if(ENGINE STREQUAL "postgres")
    set(store "$ENV{DAYBOOK_TEST_POSTGRES}")
    if(NOT store)
        file(STRINGS "${SERVER}" store LIMIT_COUNT 1)
    endif()
    string(RANDOM LENGTH 12 ALPHABET 0123456789abcdef schema)
    if(store MATCHES "[?]")
        string(APPEND store "&schema=tutorial_${schema}")
    else()
        string(APPEND store "?schema=tutorial_${schema}")
    endif()
else()
    set(store "${DIRECTORY}/orders.db")
endif()
execute_process(COMMAND "${PROGRAM}" "${store}"
    OUTPUT_VARIABLE printed RESULT_VARIABLE result)
file(READ "${EXPECTED}" expected)
if(NOT result EQUAL 0 OR NOT printed STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} ended with ${result}; expected:\n${expected}\n"
        "printed:\n${printed}")
endif()

# cmake -DPROGRAM=<file> -DEXPECTED=<file> -DDIRECTORY=<scratch> -P compare_output.cmake
# Runs the program on a store that is not there yet and compares what it prints.
file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
execute_process(COMMAND "${PROGRAM}" "${DIRECTORY}/bank.db"
    OUTPUT_VARIABLE printed RESULT_VARIABLE result)
file(READ "${EXPECTED}" expected)
if(NOT result EQUAL 0 OR NOT printed STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} ended with ${result}; expected:\n${expected}\n"
        "printed:\n${printed}")
endif()

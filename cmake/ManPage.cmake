# PROGRAM --help as a manual page, OUT: the first line says what the tool does, the rest stands as it is printed.
get_filename_component(tool ${PROGRAM} NAME)
execute_process(COMMAND ${PROGRAM} --help OUTPUT_VARIABLE help RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${tool} --help ends with ${status}")
endif()
string(REPLACE "\\" "\\e" help "${help}")
string(REGEX REPLACE "(^|\n)([.'])" "\\1\\\\&\\2" help "${help}") # what would be requests of roff
string(REPLACE "-" "\\-" help "${help}")
string(STRIP "${help}" help)
string(FIND "${help}" "\n" end)
string(SUBSTRING "${help}" 0 ${end} summary)
string(REGEX REPLACE "^OVERVIEW: " "" summary "${summary}")
string(TOUPPER ${tool} title)
string(REPLACE "-" "\\-" title ${title})
string(REPLACE "-" "\\-" name ${tool})
file(WRITE ${OUT} ".TH ${title} 1 \"\" \"xfmr ${VERSION}\"\n.SH NAME\n${name} \\- ${summary}\n.SH USAGE\n.nf\n${help}\n.fi\n"
  ".SH EXIT STATUS\n0 done, 1 the input or the device could not be used, 2 wrong usage.\n")

# What `cmake --install` lays down, in two halves. The runtime: libxfmr, its C header, xfmr-run; `find_package(xfmr)` gives
# xfmr::runtime and needs nothing else. The compiler: tools, the dialect as a shared library, the pass libraries and all headers;
# `find_package(xfmr COMPONENTS compiler)` gives xfmr::xfmr_dialect, xfmr::xfmr_passes and so on beside an installed MLIR.
include(CMakePackageConfigHelpers)

set(XFMR_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/xfmr)
set(XFMR_COMPILER_INCLUDE ${CMAKE_INSTALL_INCLUDEDIR}/xfmr-compiler)

# The runtime.
set_target_properties(xfmr_shared PROPERTIES EXPORT_NAME runtime)
target_include_directories(xfmr_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
install(TARGETS xfmr_shared EXPORT xfmr-runtime
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  PUBLIC_HEADER DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/xfmr)
install(EXPORT xfmr-runtime NAMESPACE xfmr:: FILE xfmrRuntime.cmake DESTINATION ${XFMR_PACKAGE_DIR})
configure_file(cmake/xfmr.pc.in xfmr.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/xfmr.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The tools.
set(XFMR_TOOLS
  xfmr-calibrate
  xfmr-compare
  xfmr-compile
  xfmr-export
  xfmr-import
  xfmr-inspect
  xfmr-interpret
  xfmr-lsp-server
  xfmr-opt
  xfmr-reduce
  xfmr-run)
install(TARGETS ${XFMR_TOOLS} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})

# A manual page a tool, from its --help.
if(NOT CMAKE_CROSSCOMPILING)
  foreach(tool ${XFMR_TOOLS})
    install(CODE "execute_process(COMMAND \"${CMAKE_COMMAND}\" -DPROGRAM=$<TARGET_FILE:${tool}> -DVERSION=${PROJECT_VERSION}
      -DOUT=\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_MANDIR}/man1/${tool}.1
      -P \"${PROJECT_SOURCE_DIR}/cmake/ManPage.cmake\" COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()

# The compiler's libraries: every library that the passes are made of.
function(xfmr_collect_libraries target out)
  get_target_property(links ${target} LINK_LIBRARIES)
  set(found ${${out}})
  foreach(link ${links})
    if(link MATCHES "^xfmr_" AND NOT link IN_LIST found)
      list(APPEND found ${link})
      xfmr_collect_libraries(${link} found)
    endif()
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()
set(XFMR_COMPILER_LIBRARIES xfmr_passes)
xfmr_collect_libraries(xfmr_passes XFMR_COMPILER_LIBRARIES)
xfmr_collect_libraries(xfmr_lowering XFMR_COMPILER_LIBRARIES)
list(APPEND XFMR_COMPILER_LIBRARIES xfmr_lowering)
list(REMOVE_DUPLICATES XFMR_COMPILER_LIBRARIES)
install(TARGETS ${XFMR_COMPILER_LIBRARIES} EXPORT xfmr-compiler
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT xfmr-compiler NAMESPACE xfmr:: FILE xfmrCompiler.cmake DESTINATION ${XFMR_PACKAGE_DIR})

# Headers keep their folders: `#include "dialect/Xfmr.h"` says where it lives, outside as inside.
foreach(folder dialect passes weights runtime)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder} DESTINATION ${XFMR_COMPILER_INCLUDE}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.def" PATTERN "Precompiled*.h" EXCLUDE)
  install(DIRECTORY ${PROJECT_BINARY_DIR}/${folder} DESTINATION ${XFMR_COMPILER_INCLUDE}
    FILES_MATCHING PATTERN "*.h.inc" PATTERN "*_generated.h" PATTERN "CMakeFiles" EXCLUDE)
endforeach()

configure_package_config_file(cmake/xfmrConfig.cmake.in xfmrConfig.cmake INSTALL_DESTINATION ${XFMR_PACKAGE_DIR})
write_basic_package_version_file(xfmrConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/xfmrConfig.cmake ${PROJECT_BINARY_DIR}/xfmrConfigVersion.cmake
  DESTINATION ${XFMR_PACKAGE_DIR})
# The runtime from Python; it finds libxfmr.so from where it lies.
install(FILES python/xfmr.py DESTINATION ${CMAKE_INSTALL_DATADIR}/xfmr/python)
# A page a pass, as --help-pass prints it.
install(FILES ${PROJECT_BINARY_DIR}/passes/PassPages.md ${PROJECT_BINARY_DIR}/passes/LoweringPages.md
              ${PROJECT_BINARY_DIR}/passes/ExecutablePages.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

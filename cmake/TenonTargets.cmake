# The three kinds of target Tenon has: a library on MLIR, a library free of it, and a tool.

# One precompiled header of upstream MLIR for every MLIR-heavy file: 1 s a file instead of 11.
add_library(TenonMLIRHeaders OBJECT ${PROJECT_SOURCE_DIR}/cmake/MLIRHeaders.cpp)
target_precompile_headers(TenonMLIRHeaders PRIVATE ${PROJECT_SOURCE_DIR}/cmake/MLIRHeaders.h)

if(TENON_STATIC)
  file(GLOB TENON_MLIR_ARCHIVES ${LLVM_LIBRARY_DIR}/libMLIR*.a)
  list(FILTER TENON_MLIR_ARCHIVES EXCLUDE REGEX "(Test|CAPI|Python)")
  file(GLOB TENON_LLVM_ARCHIVES ${LLVM_LIBRARY_DIR}/libLLVM*.a)
  set(absent ${LLVM_TARGETS_TO_BUILD})
  list(REMOVE_ITEM absent ${LLVM_NATIVE_ARCH} NVPTX)
  foreach(target ${absent})
    list(FILTER TENON_LLVM_ARCHIVES EXCLUDE REGEX "/libLLVM${target}[A-Z][A-Za-z0-9]*\\.a$")
    string(APPEND stubs "ABSENT(${target})")
  endforeach()
  add_library(TenonTargetsAbsent STATIC ${PROJECT_SOURCE_DIR}/cmake/TargetsAbsent.cpp)
  target_compile_definitions(TenonTargetsAbsent PRIVATE "TENON_ABSENT_TARGETS=${stubs}")
  set(TENON_COMPRESSION -l:libz.a -l:libzstd.a)
  set(TENON_LLVM_LINK TenonTargetsAbsent -Wl,--start-group ${TENON_MLIR_ARCHIVES} ${TENON_LLVM_ARCHIVES} -Wl,--end-group
    ${TENON_COMPRESSION})
else()
  set(TENON_COMPRESSION z zstd)
  set(TENON_LLVM_LINK MLIR LLVM)
endif()

# tenon_mlir_library(Name SOURCES a.cpp ... DEPENDS generated targets ... LINK libraries ...): may include MLIR and LLVM.
function(tenon_mlir_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM TenonMLIRHeaders)
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# tenon_library(Name SOURCES ... LINK ...): no MLIR, no LLVM.
function(tenon_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC ${ARG_LINK})
endfunction()

# tenon_mlir_tool(name SOURCES ... LINK ...): an executable in build/bin that uses MLIR.
function(tenon_mlir_tool name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_precompile_headers(${name} REUSE_FROM TenonMLIRHeaders)
  target_link_libraries(${name} PRIVATE ${ARG_LINK} ${TENON_LLVM_LINK})
endfunction()

# lit: RUN lines see our tools, LLVM's FileCheck and a software Vulkan device.
import os
import shutil
import sys
import lit.formats

config.name = "xfmr"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.xfmr_binary_dir, "test")

source = config.xfmr_source_dir
shared_models = os.path.join(os.path.dirname(source), "shared", "models")
config.substitutions.append(("%models", os.path.join(source, "models")))
config.substitutions.append(("%source", source))
config.substitutions.append(("%build", config.xfmr_binary_dir))
config.substitutions.append(("%cxx", config.cxx_compiler))
config.substitutions.append(("%cc", config.c_compiler))
config.substitutions.append(("%llvm", os.path.dirname(config.llvm_tools_dir)))
# lit's own: a python3 on the PATH may be a script that looks for one, a tenth of a second each time.
config.substitutions.append(("%python", sys.executable))
config.substitutions.append(("%scripts", os.path.join(source, "test", "scripts")))
# Reference checkpoints beside the repository: tests that need them say `REQUIRES: shared-models`.
config.substitutions.append(("%shared", shared_models))
if os.path.isdir(shared_models):
    config.available_features.add("shared-models")

# What a size says something of: neither a sanitizer nor debugging code in it.
if config.optimized:
    config.available_features.add("optimized")

# Programs that are not ours can use the library: by themselves, or (Python) with the sanitizer's own before them.
if not config.sanitizer_library:
    config.available_features.add("plain-library")
config.environment["XFMR_PRELOAD"] = config.sanitizer_library
config.substitutions.append(("%preload", config.sanitizer_library))

# Other programs that tests compare with. A test that lacks one is reported as unsupported.
for program in ("chromium", "npm"):
    if shutil.which(program):
        config.available_features.add(program)
# Debian's cross libraries and user-mode emulation.
if shutil.which("qemu-aarch64-static") and os.path.exists("/usr/aarch64-linux-gnu/include/c++/12"):
    config.available_features.add("aarch64")
if shutil.which("clang-format-22"):
    config.available_features.add("clang-format")

# AMD's shader compiler with its null device, set up by ../shared/gpu/drivers.
drivers = os.environ.get("XFMR_DRIVERS", "/tmp/xfmr-drivers")
if os.path.exists(os.path.join(drivers, "trixie", ".complete")) and os.path.exists(
    os.path.join(os.path.dirname(source), "shared", "gpu", "drivers")
):
    config.available_features.add("radv")
    config.environment["XFMR_DRIVERS"] = drivers

path = [os.path.join(config.xfmr_binary_dir, "bin"), os.path.join(config.xfmr_binary_dir, "test-bin"), config.llvm_tools_dir]
config.environment["PATH"] = os.pathsep.join(path + [config.environment["PATH"]])
config.environment["XDG_RUNTIME_DIR"] = config.test_exec_root
config.environment["XDG_CACHE_HOME"] = os.path.join(config.test_exec_root, "cache")
config.environment["MESA_SHADER_CACHE_DIR"] = os.path.join(config.test_exec_root, "cache")
config.environment["VK_ICD_FILENAMES"] = "/usr/share/vulkan/icd.d/lvp_icd.x86_64.json"
config.environment["LP_NUM_THREADS"] = "0"
config.environment["XFMR_VALIDATE"] = "1"
config.environment["OPENBLAS_NUM_THREADS"] = "1" # tests run side by side; more threads only wait for each other
for name in ("HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"):
    if name in os.environ:
        config.environment[name] = os.environ[name]

#include "lib/Target/CudaToolkit.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tenon {
namespace {

std::string variable(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

bool isExecutable(const std::string &path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

bool isFile(const std::string &path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

/// Toolkit roots in the packages of a Python: lib/python3.*/site-packages/nvidia/{cu13, cuda_nvcc}, newest first.
std::vector<std::string> pythonRoots(const std::string &prefix) {
  std::vector<std::string> roots;
  if (prefix.empty())
    return roots;
  std::error_code error;
  for (fs::directory_iterator at(prefix + "/lib", error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().rfind("python3", 0) == 0) {
      std::error_code inner;
      for (fs::directory_iterator part(at->path() / "site-packages/nvidia", inner), last; !inner && part != last;
           part.increment(inner))
        if (std::string name = part->path().filename(); name.rfind("cu1", 0) == 0 || name == "cuda_nvcc")
          roots.push_back(part->path());
    }
  // cuda_nvcc, of the packages up to CUDA 12, sorts behind cu13.
  std::sort(roots.begin(), roots.end(), [](const std::string &a, const std::string &b) {
    bool oldA = fs::path(a).filename() == "cuda_nvcc", oldB = fs::path(b).filename() == "cuda_nvcc";
    return oldA != oldB ? oldB : a > b;
  });
  return roots;
}

std::string pythonPlace(const ToolkitPlaces &places) {
  return places.pythonPrefix.empty()
             ? "no Python environment given (VIRTUAL_ENV is not set)"
             : "packages nvidia-* under '" + places.pythonPrefix + "/lib/python3.*/site-packages'";
}

std::string join(const std::vector<std::string> &searched) {
  std::string text;
  for (const std::string &place : searched)
    text += "\n  " + place;
  return text;
}

} // namespace

ToolkitPlaces ToolkitPlaces::fromEnvironment(std::string ptxas, std::string pythonPrefix) {
  ToolkitPlaces places;
  places.ptxas = std::move(ptxas);
  places.ptxasVariable = variable("TENON_PTXAS");
  std::string path = variable("PATH");
  for (size_t begin = 0; begin <= path.size();) {
    size_t end = std::min(path.find(':', begin), path.size());
    if (end > begin) // an empty entry means the working folder, from where nothing is run
      places.path.push_back(path.substr(begin, end - begin));
    begin = end + 1;
  }
  places.cudaHome = variable("CUDA_HOME");
  places.pythonPrefix = pythonPrefix.empty() ? variable("VIRTUAL_ENV") : std::move(pythonPrefix);
  return places;
}

Result<std::string> findPtxas(const ToolkitPlaces &places) {
  // Who names one wants that one.
  for (const auto &[path, source] :
       {std::pair(places.ptxas, "the option for ptxas"), std::pair(places.ptxasVariable, "TENON_PTXAS")})
    if (!path.empty()) {
      if (isExecutable(path))
        return path;
      return notFound("ptxas '" + path + "', named by " + source + ", is no executable file; correct it, or leave it " +
                      "out and Tenon searches PATH, CUDA_HOME, /usr/local/cuda and Python's packages");
    }
  std::vector<std::string> searched = {"TENON_PTXAS is not set"}, candidates;
  for (const std::string &folder : places.path)
    candidates.push_back(folder + "/ptxas");
  if (places.cudaHome.empty())
    searched.push_back("CUDA_HOME is not set");
  else
    candidates.push_back(places.cudaHome + "/bin/ptxas");
  candidates.push_back(places.usualRoot + "/bin/ptxas");
  for (const std::string &root : pythonRoots(places.pythonPrefix))
    candidates.push_back(root + "/bin/ptxas");
  for (const std::string &candidate : candidates) {
    if (isExecutable(candidate))
      return candidate;
    searched.push_back(candidate);
  }
  searched.push_back(pythonPlace(places));
  return notFound(
      "no ptxas, the assembler of NVIDIA's CUDA toolkit, is there. Searched:" + join(searched) +
      "\nInstall the toolkit, or `pip install --no-deps nvidia-cuda-nvcc==13.0.88` into the environment, or "
      "set TENON_PTXAS to one");
}

Result<std::string> findLibdevice(const ToolkitPlaces &places, const std::string &ptxas) {
  std::vector<std::string> roots, searched;
  std::error_code error;
  if (fs::path real = ptxas.empty() ? fs::path() : fs::canonical(ptxas, error); !error && !real.empty())
    roots.push_back(real.parent_path().parent_path());
  if (places.cudaHome.empty())
    searched.push_back("CUDA_HOME is not set");
  else
    roots.push_back(places.cudaHome);
  roots.push_back(places.usualRoot);
  for (const std::string &root : pythonRoots(places.pythonPrefix))
    roots.push_back(root);
  for (const std::string &root : roots) {
    std::string path = root + "/nvvm/libdevice/libdevice.10.bc";
    if (isFile(path))
      return path;
    searched.push_back(path);
  }
  searched.push_back(pythonPlace(places));
  return notFound(
      "no libdevice.10.bc, the mathematics library of NVIDIA's CUDA toolkit, is there. Searched:" + join(searched) +
      "\nInstall the toolkit, or `pip install nvidia-nvvm==13.0.88` into the environment, or set CUDA_HOME");
}

} // namespace tenon

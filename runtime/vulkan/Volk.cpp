// The one translation unit that holds volk, which finds the Vulkan loader at run time: a machine without
// it gets an error message instead of a failing link.
#define VOLK_IMPLEMENTATION
#include <volk.h>

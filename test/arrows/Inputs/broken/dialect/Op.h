#include "passes/Pass.h"

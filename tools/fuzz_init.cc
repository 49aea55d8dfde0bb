// SPDX-License-Identifier: Apache-2.0
//
// What a fuzz target under libFuzzer does before anything else: it writes its
// seeds if it is asked to, so that no other build is needed for them.
#include "tools/fuzz_seeds.h"

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  tools::WriteSeedsIfAsked(*argc, *argv);
  return 0;
}

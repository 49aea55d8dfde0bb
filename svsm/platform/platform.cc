// SPDX-License-Identifier: Apache-2.0
#include "svsm/platform/platform.h"

namespace svsm {
namespace {
constinit Platform* the_platform = nullptr;
}  // namespace

Platform& ThePlatform() {
  if (the_platform == nullptr) __builtin_trap();
  return *the_platform;
}

void SetPlatform(Platform& platform) { the_platform = &platform; }

}  // namespace svsm

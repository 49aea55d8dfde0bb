// SPDX-License-Identifier: Apache-2.0
//
// boot/fake_kernel.h, by the loader's names.
#pragma once

#include "boot/fake_kernel.h"

namespace svsm {

using boot::FakeKernel;
using boot::Poke;

}  // namespace svsm

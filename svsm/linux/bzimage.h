// SPDX-License-Identifier: Apache-2.0
//
// The kernel's format (boot/bzimage.h), by the loader's names.
#pragma once

#include "boot/bzimage.h"

namespace svsm {

using boot::BzImage;
using boot::kEntry64;
using boot::ParseBzImage;

}  // namespace svsm

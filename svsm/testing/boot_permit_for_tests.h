// SPDX-License-Identifier: Apache-2.0
//
// A BootPermit for guests that test the way out alone. Its target is testonly,
// so that nothing that ships can depend on it.
#pragma once

#include "svsm/boot_permit.h"

namespace svsm {

class BootPermitForTests {
 public:
  static BootPermit Make() { return BootPermit(); }
  static ThisBoot MakeThisBoot() { return ThisBoot(); }
};

}  // namespace svsm

// SPDX-License-Identifier: Apache-2.0
//
// The image's first C++.
#include <stdint.h>

#include "base/result.h"
#include "svsm/console/console.h"
#include "svsm/console/line.h"
#include "svsm/panic/fail.h"
#include "svsm/reasons.h"

// `start_info`: physical address of PVH's hvm_start_info.
extern "C" [[noreturn]] void SvsmMain(uint32_t start_info);

void SvsmMain(uint32_t start_info) {
  static_cast<void>(start_info);
  svsm::console::Init();
  svsm::console::Print(svsm::Line() << "started");
  svsm::Fail(
      base::Status(base::Code::kFailedPrecondition, svsm::kConfigMissing));
}

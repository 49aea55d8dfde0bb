// SPDX-License-Identifier: Apache-2.0
//
// A boot that cannot succeed ends before anybody is asked for anything: nothing
// is released and no boot is counted.
#include <stdint.h>

#include <string>

#include "base/bytes.h"
#include "gtest/gtest.h"
#include "tests/hostile/bench.h"

namespace hostile {
namespace {

using machine::FwCfgFile;

// Of the kernel's header (Linux, Documentation/arch/x86/boot.rst).
constexpr size_t kInitSize = 0x260;

TEST(PlanFirstTest, ABootThatMustFailAsksForNothing) {
  const Outcome outcome =
      RunGuest(nullptr, {.machine = [](auto& options) {
                 for (FwCfgFile& file : options.fw_cfg) {
                   if (file.name != "opt/org.forelock/kernel") continue;
                   const base::MutableBytes header(file.contents);
                   // As much as all RAM.
                   base::StoreLe<uint32_t>(static_cast<uint32_t>(kBenchRam),
                                           header.subspan<kInitSize, 4>());
                 }
               }});
  EXPECT_EQ(outcome.end, "SL36") << outcome.ToString();
  EXPECT_NE(outcome.console.find("measured: boot files"), std::string::npos)
      << outcome.console;
  EXPECT_EQ(outcome.guest_messages, 0u);
  EXPECT_EQ(outcome.owner_log, "");
  EXPECT_FALSE(outcome.granted);
}

}  // namespace
}  // namespace hostile

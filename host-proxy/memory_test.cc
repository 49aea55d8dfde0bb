// SPDX-License-Identifier: Apache-2.0
//
// Design section 9: at most 64 KiB of private memory for a connected VM.
#include <sys/types.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "host-proxy/testing/daemon_fixture.h"

namespace host_proxy {
namespace {

constexpr int kVms = 16;
constexpr long kBudgetKib = 64;

long RssAnonKib(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string word; status >> word;) {
    long kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib;
  }
  return -1;
}

using MemoryTest = testing::DaemonTest;

TEST_F(MemoryTest, OfAConnectedVmIsWithinItsBudget) {
  StartDaemon(kVms);
  const long idle = RssAnonKib(daemon_->pid());
  ASSERT_GT(idle, 0);
  std::vector<std::unique_ptr<testing::Guest>> guests;
  for (int i = 1; i <= kVms; ++i) {
    guests.push_back(MakeGuest(i));
    ASSERT_TRUE(guests.back()->Open().ok());
    // Far more than any attestation moves.
    ASSERT_TRUE(guests.back()->Echo(testing::Pattern(200000)).ok());
  }
  const long each = (RssAnonKib(daemon_->pid()) - idle) / kVms;
  printf("RssAnon: %ld KiB idle, %ld KiB each of %d VMs\n", idle, each, kVms);
  EXPECT_LE(each, kBudgetKib);
}

}  // namespace
}  // namespace host_proxy

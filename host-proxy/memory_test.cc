// SPDX-License-Identifier: Apache-2.0
//
// Design section 9: at most 64 KiB of private memory for a connected VM.
#include <sys/types.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "host-proxy/testing/daemon_fixture.h"
#include "proto/channel.h"

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
  std::filesystem::create_directory(folder_ / "certs");
  std::string chip_name;
  for (size_t i = 0; i < proto::channel::kChipIdSize; ++i) chip_name += "1f";
  std::ofstream(folder_ /
                ("certs/vcek-" + chip_name + "-0000000000000001.certs"))
      << std::string(proto::channel::kMaxCertificateTable, 'c');
  std::array<uint8_t, proto::channel::kChipIdSize> chip;
  chip.fill(0x1F);
  std::vector<uint8_t> table(proto::channel::kMaxCertificateTable);
  long first = 0;
  std::vector<std::unique_ptr<testing::Guest>> guests;
  for (int i = 1; i <= kVms; ++i) {
    guests.push_back(MakeGuest(i));
    ASSERT_TRUE(guests.back()->Open().ok());
    // Far more than any attestation moves.
    ASSERT_TRUE(guests.back()->Echo(testing::Pattern(200000)).ok());
    const auto size = guests.back()->client->GetCertificates(
        chip, 1, table, guests.back()->machine.In(testing::kPatience));
    ASSERT_TRUE(size.ok());
    ASSERT_EQ(*size, table.size());
    if (i == 1) first = RssAnonKib(daemon_->pid()) - idle;
  }
  const long each = (RssAnonKib(daemon_->pid()) - idle) / kVms;
  // The first VM pays for what the daemon allocates once.
  printf("RssAnon: %ld KiB with the first VM\n", first);
  printf("RssAnon: %ld KiB idle, %ld KiB each of %d VMs\n", idle, each, kVms);
  EXPECT_LE(each, kBudgetKib);
}

}  // namespace
}  // namespace host_proxy

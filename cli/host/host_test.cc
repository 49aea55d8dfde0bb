// SPDX-License-Identifier: Apache-2.0
#include "cli/host/host.h"

#include <sys/stat.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/testing/command_runner.h"
#include "gtest/gtest.h"

namespace cli {
namespace {

constexpr std::string_view kCpuid =
    "CPU:\n"
    "   0x80000001 0x00: eax=0x00a10f11 ebx=0x40000000 ecx=0x75c237ff "
    "edx=0x2fd3fbff\n"
    "   0x8000001f 0x00: eax=0x0101fd7f ebx=0x00004173 ecx=0x000003ee "
    "edx=0x00000080\n"
    "   0x8000001f 0x01: eax=0x00000001 ebx=0x00000000 ecx=0x00000000 "
    "edx=0x00000000\n";

TEST(Cpuid, IsReadAsTheProgramPrintsIt) {
  const auto leaf = CpuidIn(kCpuid, 0x8000001F);
  ASSERT_TRUE(leaf);
  EXPECT_EQ(leaf->eax, 0x0101fd7fu);
  EXPECT_EQ(leaf->ebx, 0x4173u);
  EXPECT_EQ(leaf->ecx, 0x3EEu);
  EXPECT_EQ(leaf->edx, 0x80u);
  EXPECT_FALSE(CpuidIn(kCpuid, 0x80000002));
}

TEST(Cpuid, OfCutTextThereIsNone) {
  const std::string text(kCpuid);
  const size_t end = text.find("80\n", text.find("8000001f"));
  for (size_t size = 0; size < end; ++size) {
    const auto leaf = CpuidIn(text.substr(0, size), 0x8000001F);
    // Shorter numbers are numbers; half a line is none.
    if (leaf) EXPECT_GT(size, text.find("edx=", text.find("8000001f")) + 4);
  }
  EXPECT_FALSE(CpuidIn("0x8000001f 0x00: eax=1 ebx=2 ecx=3 edx=x", 0x8000001F));
  EXPECT_FALSE(CpuidIn("0x8000001f 0x00: eax=0x1ffffffff ebx=2 ecx=3 edx=4",
                       0x8000001F));
}

class Copies : public ::testing::Test {
 protected:
  void Write(const std::string& name, std::string_view text) {
    // EDGE: char may alias the bytes.
    root_.Write(name,
                {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  }
  testing::ScratchFolder root_;
};

TEST_F(Copies, AreReadBelowTheirRootUpToALimit) {
  Write("proc/version", "0123456789");
  Write("cpuid", kCpuid);
  const auto host = HostCopy(root_.path());
  EXPECT_EQ(*host->Read("/proc/version", 4), "0123");
  EXPECT_EQ(*host->Read("/proc/version", 400), "0123456789");
  EXPECT_TRUE(absl::IsNotFound(host->Read("/proc/nothing", 4).status()));
  EXPECT_FALSE(host->Read("/proc", 4).ok());
  EXPECT_TRUE(host->Cpuid(0x8000001F));
  EXPECT_FALSE(host->PlatformStatus().ok());
  EXPECT_FALSE(host->Chip().ok());
  EXPECT_TRUE(host->RightsOf("/proc/version").readable);
  EXPECT_FALSE(host->RightsOf("/proc/nothing").exists);
  EXPECT_TRUE(host->FreeBytes("/proc").ok());
}

// A pipe in a file's place is not waited for.
TEST_F(Copies, APipeIsNoFile) {
  ASSERT_EQ(mkfifo(root_.Path("pipe").c_str(), 0600), 0);
  const auto host = HostCopy(root_.path());
  EXPECT_EQ(host->Read("/pipe", 4).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(Copies, NamesAreSorted) {
  Write("d/b", "");
  Write("d/a", "");
  EXPECT_EQ(*HostCopy(root_.path())->List("/d"),
            (std::vector<std::string>{"a", "b"}));
}

// Whatever machine this runs on: it answers, and does not hang.
TEST(ThisHost, CanBeLookedAt) {
  const auto host = ThisHost();
  EXPECT_TRUE(host->Read("/proc/cpuinfo", 100).ok());
  EXPECT_TRUE(host->RightsOf("/proc/cpuinfo").readable);
  (void)host->PlatformStatus();
  (void)host->Chip();
}

}  // namespace
}  // namespace cli

// SPDX-License-Identifier: Apache-2.0
//
// The guest at the first instruction of its kernel: what memory holds then, on
// both sides, and who can reach it. The image boots without a verdict here, by
// expected_boot, so it needs no proxy; tests/hostile has the rest.
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "gtest/gtest.h"
#include "hosted/files.h"
#include "launch/image.h"
#include "launch/image_plan.h"
#include "launch/launch_plan.h"
#include "machine/cpu.h"
#include "machine/cpuid_table.h"
#include "machine/ending.h"
#include "machine/machine.h"
#include "machine/memory.h"
#include "machine/rmp.h"
#include "proto/config.h"
#include "psp/testing.h"
#include "sev/page_info.h"
#include "sev/secrets_page.h"
#include "svsm/linux/fake_kernel.h"

namespace machine {
namespace {

constexpr char kImage[] = "svsm/forelock-svsm.elf";
constexpr uint64_t kMemory = 64 << 20;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kCbit = uint64_t{1} << kCbitPosition;

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  ADD_FAILURE() << value.status();
  abort();
}

class HandOverTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto file = OrDie(hosted::ReadInput(kImage, 16 << 20));
    const auto kernel = svsm::FakeKernel();
    const std::string line = "quiet";
    proto::Config config;
    config.platform = proto::Platform::kSnp;
    config.tsc_khz = proto::kMinTscKhz;
    config.proxy_deadline = base::Milliseconds{200};
    config.boot_deadline = base::Milliseconds{300};
    config.acpi = proto::Acpi::kNone;
    config.on_failure = proto::OnFailure::kBootWithoutSecrets;
    proto::Pin pin{};
    if (!config.vm.Assign("demo/vm1") ||
        !config.verifier_endpoint.Assign("verifier") ||
        !config.verifier_pins.Add(pin)) {
      abort();
    }
    config.expected_boot.emplace();
    config.expected_boot->kernel = crypto::Sha384::Of(kernel);
    config.expected_boot->initrd = crypto::Sha384::Of({});
    config.expected_boot->command_line =
        crypto::Sha384::Of(base::AsBytes(line));
    ASSERT_TRUE(
        launch::ConfigureImage(file, config, launch::Reconfigure::kAllow).ok());
    MachineOptions options;
    options.plan = OrDie(launch::PlanOfImage(file));
    image_begin_ = UINT64_MAX;
    for (const launch::PlanPage& page : options.plan.pages) {
      if (page.type == sev::PageType::kVmsa) continue;
      image_begin_ = std::min(image_begin_, page.gpa);
      image_end_ = std::max(image_end_, page.gpa + kPage);
    }
    options.memory.below_4g = kMemory;
    options.memory.above_4g = 4 << 20;
    options.hierarchy = &psp::TestHierarchy();
    options.fw_cfg = {{"opt/org.forelock/kernel", kernel},
                      {"opt/org.forelock/cmdline", {line.begin(), line.end()}}};
    options.limits.instructions = 2'000'000'000;
    machine_ = OrDie(Machine::Create(std::move(options))).release();
    // Before the image takes its key out of it.
    secrets_ = machine_->firmware().SecretsPage();
    result_ = new MachineResult(machine_->Run());
  }
  static void TearDownTestSuite() {
    delete result_;
    delete machine_;
  }
  void SetUp() override {
    ASSERT_EQ(result_->ending.kind, Ending::Kind::kKernelReached)
        << result_->ending.text << "\n"
        << machine_->trace().console();
  }

  static base::MutableBytes Private(uint64_t gpa, uint64_t size) {
    return machine_->memory().Private(gpa, size);
  }
  template <typename T>
  static T Read(uint64_t gpa) {
    return base::LoadLe<T>(Private(gpa, sizeof(T)).template first<sizeof(T)>());
  }
  static size_t Count(base::Bytes memory, base::Bytes needle) {
    size_t count = 0;
    auto at = memory.begin();
    while ((at = std::search(at, memory.end(), needle.begin(), needle.end())) !=
           memory.end()) {
      ++count;
      ++at;
    }
    return count;
  }
  static base::Bytes Vmpck(size_t index) {
    return base::Bytes(secrets_).subspan(
        sev::secrets_layout::Vmpck0::kOffset + index * sev::kVmpckSize,
        sev::kVmpckSize);
  }

  static Machine* machine_;
  static MachineResult* result_;
  static uint64_t image_begin_, image_end_;
  static std::array<uint8_t, sev::kSecretsPageSize> secrets_;
};

Machine* HandOverTest::machine_ = nullptr;
MachineResult* HandOverTest::result_ = nullptr;
uint64_t HandOverTest::image_begin_ = 0, HandOverTest::image_end_ = 0;
std::array<uint8_t, sev::kSecretsPageSize> HandOverTest::secrets_;

TEST_F(HandOverTest, AllRamIsPrivateAndValidatedOnce) {
  const auto expect_ours = [](uint64_t begin, uint64_t end) {
    for (uint64_t gpa = begin; gpa < end; gpa += kPage) {
      const RmpEntry entry = machine_->rmp().Get(gpa);
      ASSERT_TRUE(entry.assigned && entry.validated) << std::hex << gpa;
    }
  };
  expect_ours(0, 0xA0000);
  expect_ours(0xC0000, kMemory);  // with the ROM area and the image
  expect_ours(uint64_t{1} << 32, (uint64_t{1} << 32) + (4 << 20));
  for (uint64_t gpa = 0xA0000; gpa < 0xC0000; gpa += kPage) {
    ASSERT_FALSE(machine_->rmp().Get(gpa).assigned) << std::hex << gpa;
  }
  EXPECT_EQ(machine_->rmp().validated_twice(), 0u);
}

TEST_F(HandOverTest, NothingIsLeftOfTheImage) {
  ASSERT_LT(image_begin_, image_end_);
  EXPECT_TRUE(base::AllZero(Private(image_begin_, image_end_ - image_begin_)));
  // Nor of whatever a firmware could have left.
  EXPECT_TRUE(base::AllZero(Private(0, 0xA0000)));
  EXPECT_TRUE(base::AllZero(Private(0xC0000, 0x40000)));
}

TEST_F(HandOverTest, TheHostIsLeftWithEmptyMemory) {
  const base::Bytes shared = machine_->memory().Shared(0, kMemory);
  for (uint64_t gpa = 0; gpa < kMemory; gpa += kPage) {
    EXPECT_TRUE(base::AllZero(shared.subspan(gpa, kPage))) << std::hex << gpa;
  }
}

TEST_F(HandOverTest, VmpckZeroIsGoneAndTheKernelHasTheOthers) {
  const base::Bytes all = Private(0, kMemory);
  const base::Bytes shared = machine_->memory().Shared(0, kMemory);
  ASSERT_FALSE(base::AllZero(Vmpck(0)));
  EXPECT_EQ(Count(all, Vmpck(0)), 0u);
  EXPECT_EQ(Count(shared, Vmpck(0)), 0u);
  for (size_t index = 1; index < sev::kVmpckCount; ++index) {
    EXPECT_EQ(Count(all, Vmpck(index)), 1u) << index;
    EXPECT_EQ(Count(shared, Vmpck(index)), 0u) << index;
  }
}

TEST_F(HandOverTest, TheKernelIsEnteredAsLinuxExpects) {
  Cpu& cpu = machine_->cpu();
  EXPECT_TRUE(cpu.long_mode());
  EXPECT_EQ(result_->kernel_entry, 0x1000200u);
  EXPECT_NE(cpu.cr(3) & kCbit, 0u);
  // What the decompressor touches before it has page tables of its own, and
  // all of it private.
  const uint64_t zero_page = result_->kernel_boot_params;
  const uint64_t setup_data = Read<uint64_t>(zero_page + 0x250);
  const uint64_t node = Read<uint64_t>(setup_data);
  ASSERT_EQ(Read<uint32_t>(node + 8), 7u);
  const uint64_t blob = Read<uint32_t>(node + 16);
  EXPECT_EQ(Read<uint32_t>(blob), 0x45444D41u);
  for (const uint64_t address :
       {result_->kernel_entry, zero_page, setup_data, node, blob,
        Read<uint64_t>(blob + 8), Read<uint64_t>(blob + 24),
        uint64_t{Read<uint32_t>(zero_page + 0x228)}, uint64_t{0x40E},
        uint64_t{0xF0000}}) {
    const auto translation = cpu.Translate(address);
    ASSERT_TRUE(translation.has_value()) << std::hex << address;
    EXPECT_EQ(translation->gpa, address);
    EXPECT_TRUE(translation->c_bit) << std::hex << address;
  }
  // The CPUID page's copy is the launch's.
  EXPECT_GT(Read<uint32_t>(Read<uint64_t>(blob + 24)), 0u);
}

}  // namespace
}  // namespace machine

// SPDX-License-Identifier: Apache-2.0
#include "svsm/attestation/manifest.h"

#include <stdint.h>

#include <type_traits>

#include "attest/boot_manifest.h"
#include "base/bytes.h"
#include "base/result.h"
#include "gtest/gtest.h"
#include "proto/config.h"
#include "svsm/linux/boot_files.h"
#include "svsm/reasons.h"
#include "svsm/testing/boot_permit_for_tests.h"

namespace svsm {
namespace {

// Who has no ThisBoot gets no permit, whatever the configuration says.
static_assert(
    !std::is_invocable_v<decltype(PermitWithoutSecrets),
                         const attest::BootManifest&, const proto::Config&>);

BootFiles SomeFiles(bool with_acpi) {
  BootFiles files;
  files.kernel = {.name = kKernelFile, .length = 100};
  files.kernel.sha384.fill(1);
  files.initrd = {.name = kInitrdFile, .length = 200};
  files.initrd.sha384.fill(2);
  files.cmdline.sha384.fill(3);  // The host has none.
  if (with_acpi) {
    files.acpi[0] = {.name = kAcpiRsdpFile, .length = 36};
    files.acpi[1] = {.name = kAcpiTablesFile, .length = 8192};
    files.acpi[2] = {.name = kAcpiLoaderFile, .length = 1024};
    for (BootFile& file : files.acpi) file.sha384.fill(4);
  }
  return files;
}

proto::ExpectedBoot ExpectedOf(const attest::BootManifest& manifest) {
  return {.kernel = manifest.kernel.sha384,
          .initrd = manifest.initrd.sha384,
          .command_line = manifest.command_line.sha384,
          .acpi = AcpiDigest(manifest)};
}

TEST(ManifestTest, ListsEveryFile) {
  const auto manifest = MakeManifest(SomeFiles(true));
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->kernel.length, 100u);
  EXPECT_EQ(manifest->kernel.name_size, 0u);
  EXPECT_EQ(manifest->initrd.length, 200u);
  EXPECT_EQ(manifest->command_line.length, 0u);
  EXPECT_EQ(manifest->command_line.sha384[0], 3);
  ASSERT_EQ(manifest->acpi.size(), 3u);
  EXPECT_TRUE(base::Equal(manifest->acpi[0].name_bytes(),
                          base::AsBytes("etc/acpi/rsdp")));
  EXPECT_TRUE(base::Equal(manifest->acpi[2].name_bytes(),
                          base::AsBytes("etc/table-loader")));
}

TEST(ManifestTest, EveryExpectedDigestCounts) {
  const auto manifest = MakeManifest(SomeFiles(true));
  ASSERT_TRUE(manifest.ok());
  const proto::ExpectedBoot right = ExpectedOf(*manifest);
  EXPECT_TRUE(CheckExpected(*manifest, right, proto::Acpi::kFromHost).ok());
  for (proto::BootDigest proto::ExpectedBoot::* field :
       {&proto::ExpectedBoot::kernel, &proto::ExpectedBoot::initrd,
        &proto::ExpectedBoot::command_line, &proto::ExpectedBoot::acpi}) {
    proto::ExpectedBoot wrong = right;
    (wrong.*field)[47] ^= 1;
    EXPECT_EQ(CheckExpected(*manifest, wrong, proto::Acpi::kFromHost),
              base::Status(base::Code::kPermissionDenied, kBootNotExpected));
  }
}

TEST(ManifestTest, WithoutAcpiThereIsNoDigestOfIt) {
  const auto without = MakeManifest(SomeFiles(false));
  const auto with = MakeManifest(SomeFiles(true));
  ASSERT_TRUE(without.ok() && with.ok());
  proto::ExpectedBoot expected = ExpectedOf(*without);
  expected.acpi = {};
  EXPECT_TRUE(CheckExpected(*without, expected, proto::Acpi::kNone).ok());
  EXPECT_FALSE(CheckExpected(*with, expected, proto::Acpi::kNone).ok());
  EXPECT_FALSE(CheckExpected(*without, expected, proto::Acpi::kFromHost).ok());
}

TEST(ManifestTest, NoVerdictNoPermitUnlessConfigured) {
  const auto manifest = MakeManifest(SomeFiles(true));
  ASSERT_TRUE(manifest.ok());
  proto::Config config;
  config.acpi = proto::Acpi::kFromHost;
  config.on_failure = proto::OnFailure::kBootWithoutSecrets;
  const auto permitted = [&] {
    return PermitWithoutSecrets(BootPermitForTests::MakeThisBoot(), *manifest,
                                config)
        .has_value();
  };
  EXPECT_FALSE(permitted());
  config.expected_boot = ExpectedOf(*manifest);
  EXPECT_TRUE(permitted());
  config.expected_boot->kernel[0] ^= 1;
  EXPECT_FALSE(permitted());
  config.expected_boot->kernel[0] ^= 1;
  config.on_failure = proto::OnFailure::kHalt;
  EXPECT_FALSE(permitted());
}

}  // namespace
}  // namespace svsm

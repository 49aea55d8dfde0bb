// SPDX-License-Identifier: Apache-2.0
#include "attest/boot_manifest.h"

#include <string>
#include <string_view>
#include <vector>

#include "attest/reasons.h"
#include "base/testing/hex.h"
#include "gtest/gtest.h"

namespace attest {
namespace {

using base::Code;
using base::Result;
using base::testing::FromText;
using base::testing::ToHex;

BootFileDigest File(std::string_view name, std::string_view content) {
  const Result<BootFileDigest> file =
      DigestBootFile(FromText(name), FromText(content));
  EXPECT_TRUE(file.ok());
  return *file;
}

BootManifest Example() {
  BootManifest manifest;
  manifest.kernel = File("", "kernel");
  manifest.initrd = File("", "");
  manifest.command_line = File("", "panic=-1");
  EXPECT_TRUE(manifest.acpi.Add(File("etc/acpi/rsdp", "rsdp")).ok());
  EXPECT_TRUE(manifest.acpi.Add(File("etc/acpi/tables", "tables")).ok());
  EXPECT_TRUE(manifest.acpi.Add(File("etc/table-loader", "loader")).ok());
  return manifest;
}

std::vector<uint8_t> Serialised(const BootManifest& manifest) {
  std::vector<uint8_t> bytes(proto::kMaxBootManifest);
  const Result<size_t> size = Serialise(manifest, bytes);
  EXPECT_TRUE(size.ok());
  bytes.resize(size.ok() ? *size : 0);
  return bytes;
}

TEST(BootManifestTest, RoundTrip) {
  const std::vector<uint8_t> bytes = Serialised(Example());
  const Result<BootManifest> parsed = ParseBootManifest(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(Serialised(*parsed), bytes);
  EXPECT_EQ(parsed->kernel.length, 6u);
  EXPECT_EQ(parsed->kernel.sha384, crypto::Sha384::Of(FromText("kernel")));
  EXPECT_EQ(ToHex(parsed->initrd.sha384).substr(0, 16), "38b060a751ac9638");
  EXPECT_EQ(parsed->acpi.size(), 3u);
  EXPECT_EQ(parsed->acpi[2].name_size, 16u);
}

// import hashlib, struct; h = hashlib.sha384()
// for n, d in ((b"etc/acpi/rsdp", b"rsdp"), (b"etc/acpi/tables", b"tables"),
//              (b"etc/table-loader", b"loader")):
//   h.update(struct.pack("<I", len(n)) + n + struct.pack("<Q", len(d)) +
//            hashlib.sha384(d).digest())
TEST(BootManifestTest, AcpiDigestKnownAnswer) {
  EXPECT_EQ(ToHex(AcpiDigest(Example())),
            "8f9c7e25da513aaac8e80b16b304adc0618c9ba5760c27a1516b5e8e8e06cd30"
            "4f624c33ec23f4d24bc2faa762701e84");
  EXPECT_EQ(AcpiDigest(BootManifest()), crypto::Sha384::Of({}));
}

TEST(BootManifestTest, NamesHaveLimits) {
  BootFileDigest file;
  EXPECT_TRUE(file.SetName(FromText(std::string(56, 'x'))).ok());
  EXPECT_EQ(file.SetName(FromText(std::string(57, 'x'))).reason(),
            kBootFileName);
  EXPECT_EQ(file.SetName(FromText("a b")).reason(), kBootFileName);
  EXPECT_EQ(file.SetName(FromText("a\n")).reason(), kBootFileName);

  std::vector<uint8_t> out(proto::kMaxBootManifest);
  BootManifest named = Example();
  named.kernel = File("kernel", "kernel");
  EXPECT_EQ(Serialise(named, out).status().code(), Code::kInvalidArgument);
  BootManifest nameless = Example();
  nameless.acpi[1] = File("", "tables");
  EXPECT_EQ(Serialise(nameless, out).status().code(), Code::kInvalidArgument);
  BootManifest twice = Example();
  twice.acpi[1] = File("etc/acpi/rsdp", "tables");
  EXPECT_EQ(Serialise(twice, out).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(
      Serialise(Example(), base::MutableBytes(out).first(20)).status().code(),
      Code::kResourceExhausted);
}

TEST(BootManifestTest, TheLargestFits) {
  BootManifest manifest = Example();
  manifest.acpi.Clear();
  for (size_t i = 0; i < proto::kMaxAcpiFiles; ++i) {
    std::string name(proto::kMaxBootFileName, 'x');
    name[0] = static_cast<char>('a' + i);
    BootFileDigest file = File(name, "content");
    file.length = UINT64_MAX;
    ASSERT_TRUE(manifest.acpi.Add(file).ok());
  }
  EXPECT_TRUE(ParseBootManifest(Serialised(manifest)).ok());
}

TEST(BootManifestTest, TruncatedIsRefused) {
  const std::vector<uint8_t> bytes = Serialised(Example());
  // A cut between two ACPI entries leaves a manifest of fewer files, which is
  // well formed and hashes to something else.
  size_t parsed = 0;
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Result<BootManifest> manifest =
        ParseBootManifest(base::Bytes(bytes).first(size));
    if (!manifest.ok()) {
      EXPECT_EQ(manifest.status().code(), Code::kDataLoss);
      continue;
    }
    ++parsed;
    EXPECT_LT(manifest->acpi.size(), 3u);
  }
  EXPECT_EQ(parsed, 3u);
}

TEST(BootManifestTest, FlippedBitsParseToSomethingElseOrNot) {
  const std::vector<uint8_t> bytes = Serialised(Example());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::vector<uint8_t> changed = bytes;
    changed[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    const Result<BootManifest> manifest = ParseBootManifest(changed);
    if (manifest.ok()) EXPECT_NE(Serialised(*manifest), bytes) << bit;
  }
}

}  // namespace
}  // namespace attest

// SPDX-License-Identifier: Apache-2.0
#include "launch/vmsa.h"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "openssl/sha.h"
#include "sev/vectors_for_tests.h"
#include "sev/wire_field.h"

namespace launch {
namespace {

namespace layout = sev::vmsa_layout;

std::string Sha384Hex(const Vmsa& vmsa) {
  std::array<uint8_t, SHA384_DIGEST_LENGTH> digest;
  SHA384(vmsa.data(), vmsa.size(), digest.data());
  // EDGE: char may alias the bytes.
  return absl::BytesToHexString(
      {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

template <typename T, typename Field>
T Get(const Vmsa& vmsa) {
  return sev::GetLe<T, Field>(std::span(vmsa));
}

TEST(Vmsa, FlatStartIsThirtyTwoBitWithPagingOff) {
  const Vmsa vmsa = FlatStartVmsa(0x201234);
  EXPECT_EQ((Get<uint64_t, layout::Rip>(vmsa)), 0x201234u);
  EXPECT_EQ((Get<uint64_t, layout::Cr0>(vmsa)), 0x31u);
  EXPECT_EQ((Get<uint64_t, layout::Cr3>(vmsa)), 0u);
  EXPECT_EQ((Get<uint64_t, layout::Efer>(vmsa)), sev::kEferSvme);
  EXPECT_EQ((Get<uint64_t, layout::SevFeatures>(vmsa)), sev::kSevFeatureSnp);
  EXPECT_EQ((Get<uint8_t, layout::Vmpl>(vmsa)), 0u);
  EXPECT_EQ((Get<uint64_t, layout::Rflags>(vmsa)), 2u);  // interrupts off
}

// QEMU's IGVM loader (target/i386/sev.c, check_vmsa_supported()) refuses a
// VMSA with anything in a field that it does not hand on to KVM.
TEST(Vmsa, FlatStartHasNothingThatQemuDoesNotHandOn) {
  Vmsa vmsa = FlatStartVmsa(0x201234);
  const auto clear = [&](size_t offset, size_t size) {
    std::fill_n(vmsa.begin() + static_cast<ptrdiff_t>(offset), size, 0);
  };
  EXPECT_EQ((Get<uint64_t, layout::SevFeatures>(vmsa)), sev::kSevFeatureSnp);
  clear(layout::Es::kOffset, 10 * sizeof(uint64_t) * 2);  // ten segments
  clear(layout::Efer::kOffset, 8);
  clear(layout::Cr4::kOffset, 3 * 8);  // CR4, CR3, CR0
  clear(layout::Dr7::kOffset, 4 * 8);  // DR7, DR6, RFLAGS, RIP
  clear(layout::Rsp::kOffset, 8);
  clear(layout::Rax::kOffset, 8);
  clear(layout::GuestPat::kOffset, 8);
  clear(layout::Rcx::kOffset, 3 * 8);   // RCX, RDX, RBX
  clear(layout::Rbp::kOffset, 11 * 8);  // RBP to R15
  clear(layout::SevFeatures::kOffset, 8);
  clear(layout::Xcr0::kOffset, 8);
  clear(layout::Mxcsr::kOffset, 4);
  clear(layout::X87Fcw::kOffset, 2);
  EXPECT_TRUE(base::AllZero(vmsa));
}

// SHA-384 of the VMSA pages in the measurements that upstream tools compute, in
// their order.
std::vector<std::string> VmsaHashes(const std::string& name) {
  const auto bytes = sev::ReadVector(
      std::filesystem::path(sev::VectorsFolder()) / "open" / "measure" / name);
  const auto json = nlohmann::json::parse(bytes, nullptr, false);
  std::vector<std::string> hashes;
  if (json.is_discarded()) return hashes;
  for (const auto& row : json["page_info_updates"]["rows"]) {
    if (row[0] == 2) hashes.push_back(row[2]);
  }
  return hashes;
}

constexpr uint32_t kEpycV4 = 0x800F12;  // CPUID 1 EAX of these CPUs
constexpr uint64_t kSnpAndDebugSwap = 0x21;

TEST(Vmsa, ResetVectorIsThatOfUpstreamTools) {
  if (sev::VectorsFolder().empty()) GTEST_SKIP() << "no vectors here";
  const struct {
    const char* file;
    ResetState state;
  } rows[] = {
      {"snp-default.json",
       {.cpu_signature = kEpycV4, .sev_features = kSnpAndDebugSwap}},
      {"snp-hash-snponly.json", {.cpu_signature = kEpycV4}},
      {"snp-ec2.json", {.vmm = Vmm::kEc2, .sev_features = kSnpAndDebugSwap}},
      {"snp-gce.json", {.vmm = Vmm::kGce}},
  };
  for (const auto& row : rows) {
    const auto hashes = VmsaHashes(row.file);
    ASSERT_EQ(hashes.size(), 1u) << row.file;
    EXPECT_EQ(Sha384Hex(ResetVectorVmsa(row.state)), hashes[0]) << row.file;
  }
}

TEST(Vmsa, FurtherCpusStartWhereTheFirmwareSays) {
  if (sev::VectorsFolder().empty()) GTEST_SKIP() << "no vectors here";
  const auto hashes = VmsaHashes("snp-4vcpu-snponly.json");
  ASSERT_EQ(hashes.size(), 4u);
  ResetState state = {.cpu_signature = kEpycV4};
  EXPECT_EQ(Sha384Hex(ResetVectorVmsa(state)), hashes[0]);
  state.eip = 0x0080B004;  // of that firmware's SEV-ES reset block
  for (size_t i = 1; i < hashes.size(); ++i) {
    EXPECT_EQ(Sha384Hex(ResetVectorVmsa(state)), hashes[i]) << i;
  }
}

// COCONUT's SVSM as a flat ROM, started in 32-bit mode by a patched QEMU of its
// time; the digest comes, as upstream says, from a launch on hardware. Ours but
// for what that QEMU did otherwise.
TEST(Vmsa, FlatStartIsThatOfAnotherSvsmButForFourFields) {
  if (sev::VectorsFolder().empty()) GTEST_SKIP() << "no vectors here";
  const auto hashes = VmsaHashes("svsm-2vcpu.json");
  ASSERT_EQ(hashes.size(), 2u);
  Vmsa vmsa = FlatStartVmsa(0xFFAEA000);
  const std::span<uint8_t, sev::kVmsaSize> out(vmsa);
  const auto gs = sev::FieldOf<layout::Gs>(out);
  std::fill(gs.begin(), gs.end(), 0);  // as a reset leaves it
  sev::PutLe<uint16_t, sev::vmsa_segment_layout::Attributes>(0x93, gs);
  sev::PutLe<uint32_t, sev::vmsa_segment_layout::Limit>(0xFFFF, gs);
  sev::PutLe<uint64_t, layout::Cr0>(0x11, out);  // no NE
  sev::PutLe<uint64_t, layout::Rdx>(kEpycV4, out);
  sev::PutLe<uint16_t, layout::X87Fcw>(0, out);
  EXPECT_EQ(Sha384Hex(vmsa), hashes[0]);
  EXPECT_EQ(Sha384Hex(vmsa), hashes[1]);
}

}  // namespace
}  // namespace launch

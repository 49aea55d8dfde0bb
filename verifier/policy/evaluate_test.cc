// SPDX-License-Identifier: Apache-2.0
#include "verifier/policy/evaluate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sev/wire_field.h"
#include "verifier/policy/policy_for_tests.h"
#include "verifier/reasons.h"

namespace verifier {
namespace {

namespace layout = sev::report_layout;

Policy MustParse(const std::string& text) {
  auto policy = Policy::Parse(text, "p.toml");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : Policy{};
}

Policy Strict() { return MustParse(testing::StrictPolicy()); }

template <size_t kSize>
std::array<uint8_t, kSize> Filled(uint8_t byte) {
  std::array<uint8_t, kSize> out;
  out.fill(byte);
  return out;
}

// What the strict policy is satisfied by, on Milan. Reports are changed as
// bytes: what is evaluated is what a parser made of them.
class Scene {
 public:
  Scene() {
    Put<uint32_t, layout::Version>(3);
    Put<uint32_t, layout::GuestSvn>(7);
    Put<uint64_t, layout::Policy>(
        sev::kPolicyReservedMustBeOne | sev::kPolicySingleSocket |
        sev::kPolicyMemAes256Xts | sev::kPolicyRaplDisabled |
        sev::kPolicyCiphertextHidingDram | sev::kPolicyPageSwapDisabled |
        (uint64_t{1} << 26) | 0x0137);
    Put<uint64_t, layout::PlatformInfo>(0x7C);
    Put<uint32_t, layout::SignatureAlgorithm>(sev::kSignatureEcdsaP384Sha384);
    Fill<layout::Measurement>(0xbb);
    Fill<layout::IdKeyDigest>(0xcc);
    Fill<layout::AuthorKeyDigest>(0xdd);
    Fill<layout::FamilyId>(0x11);
    Fill<layout::ImageId>(0x22);
    Fill<layout::HostData>(0x33);
    Fill<layout::ChipId>(0x55);
    Put<uint64_t, layout::CurrentTcb>(~uint64_t{0});
    PutTcb<layout::ReportedTcb>(4, 1, 24, 219);
    PutTcb<layout::CommittedTcb>(3, 1, 23, 218);
    PutTcb<layout::LaunchTcb>(2, 1, 22, 217);
    facts.vm = "demo/vm1";
    facts.evidence.product = sev::Product::kMilan;
    facts.evidence.signer = SignerKind::kVlek;
    facts.evidence.csp_id = "CN=cloud.example";
    facts.evidence.crl_checked = true;
    facts.evidence.root = Filled<32>(0xaa);
    facts.evidence.trust_class = TrustClass::kEmulated;
    facts.allow_emulated = true;
    facts.boot = {.kernel = {{10, Filled<48>(0x11)}},
                  .initrd = {{20, Filled<48>(0x22)}},
                  .command_line = {{30, Filled<48>(0x33)}},
                  .acpi_files = 3,
                  .acpi = Filled<48>(0x44)};
  }

  template <typename T, typename Field>
  void Put(T value) {
    sev::PutLe<T, Field>(value, std::span<uint8_t, sev::kReportSize>(bytes_));
  }
  template <typename Field>
  void Fill(uint8_t byte, size_t size = Field::kSize) {
    std::fill_n(bytes_.begin() + Field::kOffset, Field::kSize, uint8_t{0});
    std::fill_n(bytes_.begin() + Field::kOffset, size, byte);
  }
  template <typename Field>
  void PutTcb(uint8_t boot_loader, uint8_t tee, uint8_t snp, uint8_t microcode,
              uint8_t fmc = 0) {
    Put<uint64_t, Field>(sev::EncodeTcb({.fmc = fmc,
                                         .boot_loader = boot_loader,
                                         .tee = tee,
                                         .snp = snp,
                                         .microcode = microcode},
                                        *Product()));
  }
  template <typename Field>
  void FlipBit(unsigned bit) {
    bytes_[Field::kOffset + bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
  }
  std::optional<sev::Product> Product() const {
    return facts.evidence.product ? facts.evidence.product
                                  : sev::Product::kMilan;
  }

  std::vector<Condition> Judged(const Policy& policy) {
    const auto report = sev::UnverifiedReport::Parse(bytes_);
    EXPECT_TRUE(report.ok());
    if (report.ok()) facts.evidence.report = *report;
    findings = Evaluate(policy, facts);
    auto judged = Judge(policy, facts);
    facts.evidence.report.reset();
    return judged;
  }

  Facts facts;
  Findings findings;

 private:
  std::array<uint8_t, sev::kReportSize> bytes_{};
};

TEST(Evaluate, SatisfiedPolicyHasNoFinding) {
  Scene scene;
  for (const Condition& condition : scene.Judged(Strict())) {
    EXPECT_EQ(condition.judgement, Judgement::kPass) << Describe(condition);
  }
  EXPECT_TRUE(scene.findings.empty());
}

TEST(Evaluate, TurinSatisfiesItToo) {
  Scene scene;
  scene.facts.evidence.product = sev::Product::kTurin;
  scene.Fill<layout::ChipId>(0x66, 8);
  scene.PutTcb<layout::ReportedTcb>(13, 14, 15, 81, 12);
  scene.Judged(Strict());
  EXPECT_TRUE(scene.findings.empty()) << scene.findings[0].detail;
  scene.PutTcb<layout::ReportedTcb>(13, 14, 15, 81, 11);
  scene.Judged(Strict());
  ASSERT_EQ(scene.findings.size(), 1u);
  EXPECT_EQ(scene.findings[0].detail,
            "minimum_tcb.turin.reported: seen fmc 11, boot_loader 13, tee 14, "
            "snp 15, microcode 81, allowed at least fmc 12, boot_loader 13, "
            "tee 14, snp 15, microcode 81");
}

struct Row {
  const char* field;
  base::Reason reason;
  void (*change)(Scene&);
};

// One row for each condition: the change, and the one finding it makes.
constexpr Row kRows[] = {
    {"vms", kVmNotNamed, [](Scene& s) { s.facts.vm = "demo/vm2"; }},
    {"vms", kVmNotNamed, [](Scene& s) { s.facts.vm.reset(); }},
    {"roots", kRootNotNamed,
     [](Scene& s) { (*s.facts.evidence.root)[0] ^= 1; }},
    {"roots", kRootNotNamed, [](Scene& s) { s.facts.evidence.root.reset(); }},
    {"roots", kEmulatedNotAllowed,
     [](Scene& s) { s.facts.allow_emulated = false; }},
    {"products", kProductNotAllowed,
     [](Scene& s) { s.facts.evidence.product = sev::Product::kGenoa; }},
    {"products", kProductNotAllowed,
     [](Scene& s) { s.facts.evidence.product.reset(); }},
    {"report_versions", kReportVersionNotAllowed,
     [](Scene& s) { s.Put<uint32_t, layout::Version>(4); }},
    {"tcb_above_current", kTcbAboveCurrentNotAllowed,
     [](Scene& s) { s.PutTcb<layout::CurrentTcb>(3, 255, 255, 255); }},
    {"tcb_above_current", kTcbAboveCurrentNotAllowed,
     [](Scene& s) {
       s.PutTcb<layout::CurrentTcb>(4, 1, 24, 219);
       s.PutTcb<layout::CommittedTcb>(4, 1, 24, 220);
     }},
    {"launch.measurement", kMeasurementNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Measurement>(383); }},
    {"launch.id_key_digest", kIdKeyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::IdKeyDigest>(0); }},
    {"launch.author_key_digest", kAuthorKeyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::AuthorKeyDigest>(0); }},
    {"launch.family_id", kFamilyIdNotAllowed,
     [](Scene& s) { s.FlipBit<layout::FamilyId>(127); }},
    {"launch.image_id", kImageIdNotAllowed,
     [](Scene& s) { s.FlipBit<layout::ImageId>(127); }},
    {"launch.host_data", kHostDataNotAllowed,
     [](Scene& s) { s.FlipBit<layout::HostData>(255); }},
    {"launch.minimum_guest_svn", kGuestSvnTooLow,
     [](Scene& s) { s.Put<uint32_t, layout::GuestSvn>(6); }},
    {"guest_policy.smt", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(16); }},
    {"guest_policy.migration_agent", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(18); }},
    {"guest_policy.debug", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(19); }},
    {"guest_policy.single_socket", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(20); }},
    {"guest_policy.cxl_allow", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(21); }},
    {"guest_policy.mem_aes_256_xts", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(22); }},
    {"guest_policy.rapl_disabled", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(23); }},
    {"guest_policy.ciphertext_hiding_dram", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(24); }},
    {"guest_policy.page_swap_disabled", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(25); }},
    {"guest_policy.unknown_bits", kGuestPolicyNotAllowed,
     [](Scene& s) { s.FlipBit<layout::Policy>(27); }},
    {"guest_policy.minimum_abi", kGuestAbiTooLow,
     [](Scene& s) { s.FlipBit<layout::Policy>(0); }},
    {"guest_policy.minimum_abi", kGuestAbiTooLow,
     [](Scene& s) { s.FlipBit<layout::Policy>(8); }},
    {"platform_info.smt_enabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(0); }},
    {"platform_info.tsme_enabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(1); }},
    {"platform_info.ecc_enabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(2); }},
    {"platform_info.rapl_disabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(3); }},
    {"platform_info.ciphertext_hiding_dram_enabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(4); }},
    {"platform_info.alias_check_complete", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(5); }},
    {"platform_info.iommu_write_safe", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(6); }},
    {"platform_info.tio_enabled", kPlatformInfoNotAllowed,
     [](Scene& s) { s.FlipBit<layout::PlatformInfo>(7); }},
    {"signer.vlek", kVlekNotAllowed,
     [](Scene& s) { s.facts.evidence.csp_id = "CN=cloud.example.evil"; }},
    {"signer.vlek", kVlekNotAllowed,
     [](Scene& s) { s.facts.evidence.csp_id.clear(); }},
    {"signer.vlek", kVlekNotAllowed,
     [](Scene& s) { s.facts.evidence.signer.reset(); }},
    {"signer.chips", kChipNotAllowed,
     [](Scene& s) { s.FlipBit<layout::ChipId>(511); }},
    {"signer.crl", kCrlNotChecked,
     [](Scene& s) { s.facts.evidence.crl_checked = false; }},
    {"minimum_tcb.milan.reported", kReportedTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::ReportedTcb>(3, 255, 255, 255); }},
    {"minimum_tcb.milan.reported", kReportedTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::ReportedTcb>(255, 0, 255, 255); }},
    {"minimum_tcb.milan.reported", kReportedTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::ReportedTcb>(255, 255, 23, 255); }},
    {"minimum_tcb.milan.reported", kReportedTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::ReportedTcb>(255, 255, 255, 218); }},
    {"minimum_tcb.milan.committed", kCommittedTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::CommittedTcb>(3, 1, 22, 255); }},
    {"minimum_tcb.milan.launch", kLaunchTcbTooOld,
     [](Scene& s) { s.PutTcb<layout::LaunchTcb>(2, 1, 21, 255); }},
    {"boot.kernel", kKernelNotAllowed,
     [](Scene& s) { s.facts.boot->kernel->sha384[0] ^= 1; }},
    {"boot.kernel", kKernelNotAllowed,
     [](Scene& s) { s.facts.boot->kernel.reset(); }},
    {"boot.initrd", kInitrdNotAllowed,
     [](Scene& s) { s.facts.boot->initrd->sha384[0] ^= 1; }},
    {"boot.initrd", kInitrdNotAllowed,
     [](Scene& s) { s.facts.boot->initrd.reset(); }},
    {"boot.command_line", kCommandLineNotAllowed,
     [](Scene& s) { s.facts.boot->command_line->sha384[0] ^= 1; }},
    {"boot.acpi", kAcpiNotAllowed,
     [](Scene& s) { s.facts.boot->acpi[0] ^= 1; }},
    {"boot.acpi", kAcpiNotAllowed,
     [](Scene& s) { s.facts.boot->acpi_files = 0; }},
};

TEST(Evaluate, EachConditionFailsByItself) {
  const Policy policy = Strict();
  for (const Row& row : kRows) {
    Scene scene;
    row.change(scene);
    const auto judged = scene.Judged(policy);
    ASSERT_EQ(scene.findings.size(), 1u) << row.field;
    EXPECT_EQ(scene.findings[0].reason, row.reason) << row.field;
    EXPECT_TRUE(scene.findings[0].detail.starts_with(
        absl::StrCat(row.field, ": seen ")))
        << scene.findings[0].detail;
  }
}

// The table above has a failing row for every condition there is.
TEST(Evaluate, EveryConditionHasARow) {
  Scene scene;
  for (const Condition& condition : scene.Judged(Strict())) {
    if (condition.field == "signer.chips_denied") continue;  // below
    EXPECT_TRUE(std::ranges::any_of(kRows, [&](const Row& row) {
      return condition.field == row.field;
    })) << condition.field;
  }
}

TEST(Evaluate, DeniedChipAndMaskedChip) {
  Scene scene;
  const Policy listed = Strict();
  const Policy denied = MustParse(absl::StrReplaceAll(
      testing::StrictPolicy(), {{"chips = [", "chips = \"any\" # ["}}));
  scene.Fill<layout::ChipId>(0x77);
  scene.Judged(denied);
  ASSERT_EQ(scene.findings.size(), 1u);
  EXPECT_EQ(scene.findings[0].reason, kChipDenied);
  // Whoever hides the chip could hide a denied one.
  scene.Fill<layout::ChipId>(0);
  scene.Judged(denied);
  ASSERT_EQ(scene.findings.size(), 1u);
  EXPECT_EQ(scene.findings[0].reason, kChipMasked);
  scene.Judged(listed);
  EXPECT_EQ(scene.findings.size(), 2u);
  EXPECT_EQ(scene.findings[0].reason, kChipMasked);
  const Policy open = MustParse(
      absl::StrReplaceAll(testing::StrictPolicy(),
                          {{"chips = [", "chips = \"any\" # ["},
                           {"chips_denied = [", "chips_denied = [] # ["}}));
  scene.Judged(open);
  EXPECT_TRUE(scene.findings.empty());
}

TEST(Evaluate, VlekRules) {
  Scene scene;
  const auto with = [](std::string_view rule) {
    return MustParse(absl::StrReplaceAll(testing::StrictPolicy(),
                                         {{"[\"CN=cloud.example\"]", rule}}));
  };
  scene.Judged(with("\"refused\""));
  ASSERT_EQ(scene.findings.size(), 1u);
  EXPECT_EQ(scene.findings[0].detail,
            "signer.vlek: seen a VLEK of CN=cloud.example, allowed a VCEK");
  scene.facts.evidence.csp_id = "CN=another";
  scene.Judged(with("\"any\""));
  EXPECT_TRUE(scene.findings.empty());
  // A list of providers says nothing against a chip's own key.
  scene.facts.evidence.signer = SignerKind::kVcek;
  scene.Judged(Strict());
  EXPECT_TRUE(scene.findings.empty());
}

TEST(Evaluate, AllReasonsNotOnlyTheFirst) {
  Scene scene;
  for (const Row& row : kRows) {
    if (std::string_view(row.field).starts_with("launch.") ||
        std::string_view(row.field).starts_with("platform_info.")) {
      row.change(scene);
    }
  }
  scene.Judged(Strict());
  EXPECT_EQ(scene.findings.size(), 7u + 8u);
}

TEST(Evaluate, WhatIsNotKnownDoesNotPass) {
  const Findings findings = Evaluate(Strict(), Facts{});
  for (const Condition& condition : Judge(Strict(), Facts{})) {
    EXPECT_NE(condition.judgement, Judgement::kPass) << condition.field;
  }
  EXPECT_GT(findings.size(), 30u);
}

TEST(Evaluate, AnOutdatedPolicyGrantsNothing) {
  const auto policy = Policy::ParseStored(
      "version = 1\nname = \"demo\"\nvms = [\"demo/vm1\"]\n"
      "secrets = [\"demo/vm1/*\"]\nroots = [\"amd:milan\"]\n",
      "p.toml");
  ASSERT_TRUE(policy.ok()) << policy.status();
  Scene scene;
  scene.Judged(*policy);
  ASSERT_EQ(scene.findings.size(), 1u);
  EXPECT_EQ(scene.findings[0].reason, kPolicyVersion);
}

TEST(Evaluate, NothingIsAllowedByDefault) {
  Scene scene;
  for (const Condition& condition : scene.Judged(Policy{})) {
    if (condition.field == "signer.chips_denied") continue;  // Denies none.
    EXPECT_NE(condition.judgement, Judgement::kOff) << condition.field;
  }
  EXPECT_FALSE(scene.findings.empty());
}

TEST(Evaluate, AcpiNoneMeansNone) {
  Scene scene;
  const Policy policy = MustParse(absl::StrReplaceAll(
      testing::StrictPolicy(), {{"acpi = [", "acpi = \"none\" #"}}));
  scene.Judged(policy);
  ASSERT_EQ(scene.findings.size(), 1u);
  scene.facts.boot->acpi_files = 0;
  scene.Judged(policy);
  EXPECT_TRUE(scene.findings.empty());
}

TEST(Evaluate, AnyLetsEverythingPass) {
  Scene scene;
  const Policy policy = MustParse(absl::StrReplaceAll(
      testing::StrictPolicy(),
      {{"kernel = [", "kernel = \"any\" #"},
       {"acpi = [", "acpi = \"any\" #"},
       {"host_data = [", "host_data = \"any\" #"},
       {"report_versions = [", "report_versions = \"any\" #"},
       {"unattested_boot = false",
        "unattested_boot = true\ntcb_above_current = \"any\""},
       {"minimum_abi = \"1.55\"", "minimum_abi = \"any\""},
       {"smt = \"forbidden\"", "smt = \"any\""},
       {"minimum_guest_svn = 7", "minimum_guest_svn = \"any\""},
       {"crl = \"required\"", "crl = \"if-present\""}}));
  scene.facts.boot->kernel->sha384[0] ^= 1;
  scene.facts.boot->acpi[0] ^= 1;
  scene.facts.evidence.crl_checked = false;
  scene.Fill<layout::HostData>(0);
  scene.Put<uint32_t, layout::Version>(4);
  scene.Put<uint32_t, layout::GuestSvn>(0);
  scene.PutTcb<layout::CurrentTcb>(0, 0, 0, 0);
  scene.FlipBit<layout::Policy>(16);
  scene.FlipBit<layout::Policy>(0);
  scene.Judged(policy);
  EXPECT_TRUE(scene.findings.empty()) << scene.findings[0].detail;
}

}  // namespace
}  // namespace verifier

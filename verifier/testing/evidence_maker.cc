// SPDX-License-Identifier: Apache-2.0
#include "verifier/testing/evidence_maker.h"

#include <string.h>

#include <cstdlib>
#include <span>

#include "absl/strings/str_cat.h"
#include "proto/attest.h"
#include "psp/certificates.h"
#include "psp/firmware.h"
#include "psp/hierarchy.h"
#include "psp/testing.h"
#include "sev/cert_table.h"
#include "sev/guest_policy.h"
#include "sev/wire_field.h"
#include "verifier/session/report_data.h"

namespace verifier::testing {
namespace {

namespace layout = sev::report_layout;

template <typename Field>
void PutBytes(ReportBytes& report, base::Bytes bytes) {
  if (bytes.size() != Field::kSize) abort();
  memcpy(report.data() + Field::kOffset, bytes.data(), bytes.size());
}

template <typename T, typename Field>
void Put(ReportBytes& report, T value) {
  sev::PutLe<T, Field>(value, std::span<uint8_t, sev::kReportSize>(report));
}

const ossl::Digest384 kKernel = ossl::Sha384::Of(ossl::AsBytes("kernel"));
const ossl::Digest384 kInitrd = ossl::Sha384::Of(ossl::AsBytes("initrd"));
const ossl::Digest384 kCmdline = ossl::Sha384::Of(ossl::AsBytes("cmdline"));
const ossl::Digest384 kTables = ossl::Sha384::Of(ossl::AsBytes("tables"));

proto::BootManifest Manifest() {
  proto::BootManifest manifest;
  manifest.kernel = {.length = 6, .sha384 = kKernel};
  manifest.initrd = {.length = 6, .sha384 = kInitrd};
  manifest.command_line = {.length = 7, .sha384 = kCmdline};
  for (const char* name :
       {"etc/acpi/rsdp", "etc/acpi/tables", "etc/table-loader"}) {
    if (!manifest.acpi
             .Add({.name = ossl::AsBytes(name), .length = 6, .sha384 = kTables})
             .ok()) {
      abort();
    }
  }
  return manifest;
}

}  // namespace

ReportBytes MakeReport(base::Bytes report_data,
                       const std::function<void(ReportBytes&)>& change) {
  const psp::Hierarchy& hierarchy = psp::TestHierarchy();
  ReportBytes report{};
  Put<uint32_t, layout::Version>(report, 3);
  Put<uint64_t, layout::Policy>(
      report, sev::kPolicyReservedMustBeOne | sev::kPolicySmt);
  Put<uint32_t, layout::SignatureAlgorithm>(report,
                                            sev::kSignatureEcdsaP384Sha384);
  PutBytes<layout::ReportData>(report, report_data);
  PutBytes<layout::Measurement>(report,
                                std::vector<uint8_t>(48, kMeasurementByte));
  ossl::RandomBytes(std::span(report).subspan(layout::ReportId::kOffset,
                                              layout::ReportId::kSize));
  Put<uint64_t, layout::ReportedTcb>(report, psp::kEmulatedRawTcb);
  Put<uint64_t, layout::CurrentTcb>(report, psp::kEmulatedRawTcb);
  Put<uint64_t, layout::CommittedTcb>(report, psp::kEmulatedRawTcb);
  Put<uint64_t, layout::LaunchTcb>(report, psp::kEmulatedRawTcb);
  const auto cpuid = psp::kEmulatedCpuid;
  PutBytes<layout::Cpuid>(
      report,
      std::array<uint8_t, 3>{cpuid.family, cpuid.model, cpuid.stepping});
  PutBytes<layout::ChipId>(report, hierarchy.chip_id());
  change(report);
  if (!psp::SignReport(hierarchy.vcek_key(), report)) abort();
  return report;
}

Certificates GoodCertificates() {
  const psp::Hierarchy& hierarchy = psp::TestHierarchy();
  return {hierarchy.vcek(), hierarchy.ask(), hierarchy.ark()};
}

std::vector<uint8_t> PackTable(const Certificates& certificates) {
  const sev::CertTableEntry entries[] = {{sev::kGuidVcek, certificates.vcek},
                                         {sev::kGuidAsk, certificates.ask},
                                         {sev::kGuidArk, certificates.ark}};
  std::vector<uint8_t> table(proto::kMaxCertificates);
  const auto size = sev::PackCertTable(entries, table);
  if (!size.ok()) abort();
  table.resize(*size);
  return table;
}

AcceptedRoot TestRoot() {
  const auto& ark = psp::TestHierarchy().ark();
  return {.sha256 = ossl::Sha256::Of(ark),
          .trust_class = TrustClass::kEmulated,
          .name = "test",
          .der = {ark.begin(), ark.end()}};
}

std::vector<uint8_t> MakeCrl(long number, Revoked revoked) {
  const psp::Hierarchy& hierarchy = psp::TestHierarchy();
  psp::CrlSpec spec = psp::GoodCrlSpec(hierarchy.model(), hierarchy.ark_key());
  spec.number = number;
  if (revoked == Revoked::kAsk) {
    spec.revoked_serial =
        psp::IntermediateSpec(hierarchy.model(), psp::SignerKind::kVcek,
                              hierarchy.ask_key(), hierarchy.ark_key())
            .serial;
  }
  auto crl = psp::MakeCrl(spec);
  if (!crl.ok()) abort();
  return *std::move(crl);
}

std::vector<uint8_t> GoodManifest() {
  std::vector<uint8_t> bytes(proto::kMaxBootManifest);
  const auto size = proto::Encode(Manifest(), bytes);
  if (!size.ok()) abort();
  bytes.resize(*size);
  return bytes;
}

std::string GoodPolicy() {
  PolicyDigests digests = {.kernel = kKernel,
                           .initrd = kInitrd,
                           .command_line = kCmdline,
                           .acpi = AcpiDigest(Manifest())};
  digests.measurement.fill(kMeasurementByte);
  return PolicyText(digests);
}

std::string PolicyText(const PolicyDigests& digests) {
  const auto digest = [](const ossl::Digest384& value) {
    return absl::StrCat("[\"sha384:", ossl::Hex(value), "\"]\n");
  };
  constexpr std::string_view kFloor =
      " = { boot_loader = 4, tee = 0, snp = 24, microcode = 219 }\n";
  return absl::StrCat(
      "version = 2\nname = \"demo\"\nvms = [\"demo/vm1\"]\n",
      "secrets = [\"demo/vm1/*\"]\n",
      "roots = [\"sha256:", ossl::Hex(TestRoot().sha256), "\"]\n",
      R"(products = ["milan"]
report_versions = [3]
unattested_boot = false
[launch]
id_key_digest = "any"
author_key_digest = "any"
family_id = "any"
image_id = "any"
host_data = "any"
minimum_guest_svn = "any"
measurement = [")",
      ossl::Hex(digests.measurement), R"("]
[guest_policy]
smt = "any"
migration_agent = "forbidden"
debug = "forbidden"
single_socket = "any"
cxl_allow = "any"
mem_aes_256_xts = "any"
rapl_disabled = "any"
ciphertext_hiding_dram = "any"
page_swap_disabled = "any"
minimum_abi = "any"
unknown_bits = []
[platform_info]
smt_enabled = "any"
tsme_enabled = "any"
ecc_enabled = "any"
rapl_disabled = "any"
ciphertext_hiding_dram_enabled = "any"
alias_check_complete = "any"
iommu_write_safe = "any"
tio_enabled = "any"
[signer]
vlek = "refused"
chips = "any"
chips_denied = []
crl = "if-present"
[minimum_tcb.milan]
)",
      "reported", kFloor, "committed", kFloor, "launch", kFloor,
      "[boot]\nkernel = ", digest(digests.kernel),
      "initrd = ", digest(digests.initrd),
      "command_line = ", digest(digests.command_line), "acpi = ",
      digests.acpi.has_value() ? digest(*digests.acpi) : "\"none\"\n");
}

}  // namespace verifier::testing

// SPDX-License-Identifier: Apache-2.0
#include "psp/report_maker.h"

#include <algorithm>

#include "hosted/openssl/openssl.h"
#include "openssl/bn.h"
#include "sev/wire_field.h"

namespace psp {
namespace {

using hosted::openssl::EcdsaSigPtr;
using hosted::openssl::MdCtxPtr;

namespace layout = sev::report_layout;

constexpr uint32_t kFirstVersionWithCpuid = 3;
constexpr uint32_t kFirstVersionWithMitigations = 5;

uint32_t KeyInfo(const GuestContext& guest, const PlatformConfig& platform,
                 sev::SigningKey signing_key) {
  // The chip's own key only: a VLEK signs all the same.
  const bool none =
      platform.mask_chip_key && signing_key == sev::SigningKey::kVcek;
  const auto signer = none ? sev::SigningKey::kNone : signing_key;
  return (guest.author_key_enabled ? sev::kKeyInfoAuthorKeyEnabled : 0) |
         (platform.mask_chip_key ? sev::kKeyInfoMaskChipKey : 0) |
         static_cast<uint32_t>(signer) << sev::kKeyInfoSigningKeyShift;
}

}  // namespace

ReportBytes MakeUnsignedReport(const ChipModel& model, const ChipId& chip_id,
                               const GuestContext& guest,
                               const PlatformConfig& platform,
                               const sev::ReportRequest& request,
                               sev::SigningKey signing_key) {
  ReportBytes report{};
  const std::span<uint8_t, sev::kReportSize> out(report);
  const auto put = []<size_t kSize>(std::span<uint8_t, kSize> field,
                                    const std::array<uint8_t, kSize>& value) {
    std::copy(value.begin(), value.end(), field.begin());
  };
  sev::PutLe<uint32_t, layout::Version>(platform.report_version, out);
  sev::PutLe<uint32_t, layout::GuestSvn>(guest.guest_svn, out);
  sev::PutLe<uint64_t, layout::Policy>(guest.policy, out);
  put(sev::FieldOf<layout::FamilyId>(out), guest.family_id);
  put(sev::FieldOf<layout::ImageId>(out), guest.image_id);
  sev::PutLe<uint32_t, layout::Vmpl>(request.vmpl, out);
  sev::PutLe<uint32_t, layout::SignatureAlgorithm>(
      sev::kSignatureEcdsaP384Sha384, out);
  sev::PutLe<uint64_t, layout::PlatformInfo>(model.platform_info, out);
  sev::PutLe<uint32_t, layout::KeyInfo>(KeyInfo(guest, platform, signing_key),
                                        out);
  put(sev::FieldOf<layout::ReportData>(out), request.report_data);
  put(sev::FieldOf<layout::Measurement>(out), guest.measurement);
  put(sev::FieldOf<layout::HostData>(out), guest.host_data);
  put(sev::FieldOf<layout::IdKeyDigest>(out), guest.id_key_digest);
  put(sev::FieldOf<layout::AuthorKeyDigest>(out), guest.author_key_digest);
  put(sev::FieldOf<layout::ReportId>(out), guest.report_id);
  // No migration agent.
  std::ranges::fill(sev::FieldOf<layout::ReportIdMa>(out), uint8_t{0xFF});
  if (platform.report_version >= kFirstVersionWithCpuid) {
    put(sev::FieldOf<layout::Cpuid>(out),
        std::array<uint8_t, 3>{model.cpuid.family, model.cpuid.model,
                               model.cpuid.stepping});
  }
  if (!platform.mask_chip_id) put(sev::FieldOf<layout::ChipId>(out), chip_id);
  const uint64_t tcb = model.raw_tcb();
  sev::PutLe<uint64_t, layout::CurrentTcb>(tcb, out);
  sev::PutLe<uint64_t, layout::ReportedTcb>(tcb, out);
  sev::PutLe<uint64_t, layout::CommittedTcb>(tcb, out);
  sev::PutLe<uint64_t, layout::LaunchTcb>(tcb, out);
  const std::array<uint8_t, 3> version = {
      model.firmware.build, model.firmware.minor, model.firmware.major};
  put(sev::FieldOf<layout::CurrentVersion>(out), version);
  put(sev::FieldOf<layout::CommittedVersion>(out), version);
  if (platform.report_version >= kFirstVersionWithMitigations) {
    sev::PutLe<uint64_t, layout::LaunchMitigations>(model.mitigations, out);
    sev::PutLe<uint64_t, layout::CurrentMitigations>(model.mitigations, out);
  }
  return report;
}

bool SignMessage(EVP_PKEY* key, base::Bytes message,
                 std::span<uint8_t, kComponentSize> r,
                 std::span<uint8_t, kComponentSize> s) {
  const MdCtxPtr context(EVP_MD_CTX_new());
  std::array<uint8_t, 256> der{};
  size_t der_size = der.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, key) !=
          1 ||
      EVP_DigestSign(context.get(), der.data(), &der_size, message.data(),
                     message.size()) != 1) {
    return false;
  }
  const uint8_t* in = der.data();
  const EcdsaSigPtr signature(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der_size)));
  return signature != nullptr &&
         BN_bn2lebinpad(ECDSA_SIG_get0_r(signature.get()), r.data(),
                        kComponentSize) == kComponentSize &&
         BN_bn2lebinpad(ECDSA_SIG_get0_s(signature.get()), s.data(),
                        kComponentSize) == kComponentSize;
}

bool SignReport(EVP_PKEY* key, std::span<uint8_t, sev::kReportSize> report) {
  return SignMessage(key, report.first<sev::kReportSignedSize>(),
                     sev::FieldOf<layout::SignatureR>(report),
                     sev::FieldOf<layout::SignatureS>(report));
}

}  // namespace psp

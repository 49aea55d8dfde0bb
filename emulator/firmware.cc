// SPDX-License-Identifier: Apache-2.0
#include "emulator/firmware.h"

#include <string.h>

#include <algorithm>
#include <optional>

#include "emulator/message_cipher.h"
#include "openssl/bn.h"
#include "openssl/rand.h"
#include "sev/guest_policy.h"

namespace emulator {
namespace {

constexpr uint32_t kReportVersion = 3;
constexpr uint32_t kSecretsVersion = 3;
constexpr uint32_t kMilanCpuidEax = 0x00A00F11;  // Fn0000_0001_EAX
constexpr size_t kComponentSize = 72;            // of a signature, in bytes

// OpenSSL's generator only fails when the system has no entropy at all.
void FillRandom(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) abort();
}

}  // namespace

bool SignReport(EVP_PKEY* key, std::span<uint8_t, sev::kReportSize> report) {
  namespace layout = sev::report_layout;
  const EvpMdCtx context(EVP_MD_CTX_new());
  std::array<uint8_t, 256> der{};
  size_t der_size = der.size();
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha384(), nullptr, key) !=
          1 ||
      EVP_DigestSign(context.get(), der.data(), &der_size, report.data(),
                     sev::kReportSignedSize) != 1) {
    return false;
  }
  const uint8_t* in = der.data();
  const EcdsaSig signature(
      d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der_size)));
  return signature != nullptr &&
         BN_bn2lebinpad(ECDSA_SIG_get0_r(signature.get()),
                        sev::FieldOf<layout::SignatureR>(report).data(),
                        kComponentSize) == kComponentSize &&
         BN_bn2lebinpad(ECDSA_SIG_get0_s(signature.get()),
                        sev::FieldOf<layout::SignatureS>(report).data(),
                        kComponentSize) == kComponentSize;
}

void Firmware::Launch(const sev::LaunchDigest& measurement) {
  measurement_ = measurement;
  FillRandom(report_id_);
  for (MessageKey& key : keys_) {
    FillRandom(*key.key.ResizeForWrite(sev::kVmpckSize));
    key.last_sequence_number = 0;
  }
}

std::array<uint8_t, sev::kSecretsPageSize> Firmware::SecretsPage() const {
  namespace layout = sev::secrets_layout;
  std::array<uint8_t, sev::kSecretsPageSize> page{};
  const std::span<uint8_t, sev::kSecretsPageSize> out(page);
  sev::PutLe<uint32_t, layout::Version>(kSecretsVersion, out);
  sev::PutLe<uint32_t, layout::Fms>(kMilanCpuidEax, out);
  static_assert(layout::Vmpck3::kOffset ==
                layout::Vmpck0::kOffset + 3 * sev::kVmpckSize);
  for (size_t i = 0; i < keys_.size(); ++i) {
    const auto key = keys_[i].key.RevealSecret();
    std::copy(key.begin(), key.end(),
              page.begin() + layout::Vmpck0::kOffset + i * sev::kVmpckSize);
  }
  return page;
}

Firmware::Reply Firmware::Request(
    std::span<const uint8_t, sev::kMessagePageSize> request) {
  Reply reply;
  switch (fault_) {
    case Fault::kBusyOnce:
      if (busy_told_) break;
      busy_told_ = true;
      reply.exit_info_2 = kVmmBusy;
      return reply;
    case Fault::kBusyForever:
      reply.exit_info_2 = kVmmBusy;
      return reply;
    case Fault::kGarbage:
      FillRandom(reply.page);
      return reply;
    case Fault::kFirmwareError:
      reply.exit_info_2 = kFirmwareResourceLimit;
      return reply;
    case Fault::kSilent:
      reply.delivery = Delivery::kSilent;
      return reply;
    case Fault::kClose:
      reply.delivery = Delivery::kClose;
      return reply;
    case Fault::kNone:
    case Fault::kStale:
    case Fault::kWrongSequence:
    case Fault::kWrongReportData:
    case Fault::kWrongVmpl:
      break;
  }
  return Handle(request);
}

Firmware::Reply Firmware::Handle(
    std::span<const uint8_t, sev::kMessagePageSize> request) {
  const auto failed = [](uint64_t status) {
    Reply reply;
    reply.exit_info_2 = status;
    return reply;
  };
  const auto header = sev::ReadMessageHeader(request);
  if (!header.ok()) return failed(kFirmwareInvalidParameter);
  MessageKey& key = keys_[header->vmpck];
  if (key.key.size() == 0) return failed(kFirmwareInvalidParameter);
  // Exactly the next one: an old number would repeat an IV, a new one would
  // hide a lost message.
  if (header->sequence_number != key.last_sequence_number + 1 ||
      header->sequence_number >= UINT64_MAX - 1) {
    return failed(kFirmwareBadMeasurement);
  }
  Page plain{};
  const auto payload = std::span(plain).first(header->size);
  if (!OpenMessage(key.key, *header, request, payload)) {
    return failed(kFirmwareBadMeasurement);
  }
  if (header->type != sev::MessageType::kReportRequest ||
      header->version != sev::kReportMessageVersion) {
    return failed(kFirmwareInvalidParameter);
  }
  const auto report_request = sev::ParseReportRequest(payload);
  if (!report_request.ok()) return failed(kFirmwareInvalidParameter);

  key.last_sequence_number = header->sequence_number + 1;
  const auto response = MakeReportResponse(*report_request, header->vmpck);
  Reply reply;
  sev::MessageHeader answer;
  answer.sequence_number = AnswerSequenceNumber(header->sequence_number);
  answer.type = sev::MessageType::kReportResponse;
  answer.size = static_cast<uint16_t>(response.size());
  answer.vmpck = header->vmpck;
  SealMessage(key.key, answer, response, reply.page);
  return reply;
}

uint64_t Firmware::AnswerSequenceNumber(uint64_t request) const {
  if (fault_ == Fault::kStale) return request - 1;
  if (fault_ == Fault::kWrongSequence) return request + 2;
  return request + 1;
}

std::array<uint8_t, sev::kReportResponseSize> Firmware::MakeReportResponse(
    const sev::ReportRequest& request, uint8_t vmpck) {
  namespace layout = sev::report_response_layout;
  std::array<uint8_t, sev::kReportResponseSize> response{};
  const std::span<uint8_t, sev::kReportResponseSize> out(response);
  uint32_t status = sev::kReportStatusSuccess;
  // A key of VMPL n may ask for reports of n and of less privileged levels.
  if (request.vmpl >= sev::kVmpckCount || request.vmpl < vmpck) {
    status = sev::kReportStatusInvalidParameters;
  } else if (request.key_select == sev::KeySelect::kVlek) {
    status = sev::kReportStatusInvalidKeySelect;  // No VLEK is loaded.
  }
  sev::PutLe<uint32_t, layout::Status>(status, out);
  if (status != sev::kReportStatusSuccess) return response;
  const auto report = MakeReport(request);
  sev::PutLe<uint32_t, layout::ReportSize>(uint32_t{sev::kReportSize}, out);
  memcpy(sev::FieldOf<layout::Report>(out).data(), report.data(),
         report.size());
  return response;
}

std::array<uint8_t, sev::kReportSize> Firmware::MakeReport(
    const sev::ReportRequest& request) {
  namespace layout = sev::report_layout;
  std::array<uint8_t, sev::kReportSize> report{};
  const std::span<uint8_t, sev::kReportSize> out(report);
  const auto put = []<size_t kSize>(std::span<uint8_t, kSize> field,
                                    const std::array<uint8_t, kSize>& value) {
    std::copy(value.begin(), value.end(), field.begin());
  };
  sev::PutLe<uint32_t, layout::Version>(kReportVersion, out);
  sev::PutLe<uint64_t, layout::Policy>(
      sev::kPolicySmt | sev::kPolicyReservedMustBeOne, out);
  sev::PutLe<uint32_t, layout::Vmpl>(
      fault_ == Fault::kWrongVmpl ? 1 : request.vmpl, out);
  sev::PutLe<uint32_t, layout::SignatureAlgorithm>(
      sev::kSignatureEcdsaP384Sha384, out);
  sev::PutLe<uint64_t, layout::PlatformInfo>(
      sev::kPlatformInfoSmtEnabled | sev::kPlatformInfoEccEnabled |
          sev::kPlatformInfoAliasCheckComplete,
      out);
  put(sev::FieldOf<layout::ReportData>(out), request.report_data);
  if (fault_ == Fault::kWrongReportData) {
    sev::FieldOf<layout::ReportData>(out)[0] ^= 1;
  }
  put(sev::FieldOf<layout::Measurement>(out), measurement_);
  put(sev::FieldOf<layout::ReportId>(out), report_id_);
  // No migration agent.
  std::ranges::fill(sev::FieldOf<layout::ReportIdMa>(out), uint8_t{0xFF});
  put(sev::FieldOf<layout::Cpuid>(out),
      std::array<uint8_t, 3>{kEmulatedCpuid.family, kEmulatedCpuid.model,
                             kEmulatedCpuid.stepping});
  put(sev::FieldOf<layout::ChipId>(out), hierarchy_.chip_id());
  sev::PutLe<uint64_t, layout::CurrentTcb>(kEmulatedRawTcb, out);
  sev::PutLe<uint64_t, layout::ReportedTcb>(kEmulatedRawTcb, out);
  sev::PutLe<uint64_t, layout::CommittedTcb>(kEmulatedRawTcb, out);
  sev::PutLe<uint64_t, layout::LaunchTcb>(kEmulatedRawTcb, out);
  constexpr std::array<uint8_t, 3> kVersion = {kEmulatedFirmware.build,
                                               kEmulatedFirmware.minor,
                                               kEmulatedFirmware.major};
  put(sev::FieldOf<layout::CurrentVersion>(out), kVersion);
  put(sev::FieldOf<layout::CommittedVersion>(out), kVersion);
  // A P-384 signature fails for want of memory only.
  if (!SignReport(hierarchy_.vcek_key(), out)) abort();
  return report;
}

}  // namespace emulator

// SPDX-License-Identifier: Apache-2.0
#include "psp/firmware.h"

#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "openssl/rand.h"
#include "psp/message_cipher.h"
#include "sev/wire_field.h"

namespace psp {
namespace {

constexpr uint32_t kSecretsVersion = 3;

// OpenSSL's generator only fails when the system has no entropy at all.
void FillRandom(std::span<uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) abort();
}

}  // namespace

void Firmware::Launch(const GuestContext& guest) {
  guest_ = guest;
  FillRandom(guest_.report_id);
  vmrk_ = NewVmrk();
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
  sev::PutLe<uint32_t, layout::Fms>(CpuidEax(hierarchy_.model().cpuid), out);
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
  Reply reply;
  const auto answer = [&](sev::MessageType type, uint8_t version,
                          base::Bytes payload_out) {
    key.last_sequence_number = header->sequence_number + 1;
    SealMessage(
        key.key,
        {.sequence_number = AnswerSequenceNumber(header->sequence_number),
         .type = type,
         .version = version,
         .size = static_cast<uint16_t>(payload_out.size()),
         .vmpck = header->vmpck},
        payload_out, reply.page);
  };
  if (header->type == sev::MessageType::kReportRequest &&
      header->version == sev::kReportMessageVersion) {
    const auto wanted = sev::ParseReportRequest(payload);
    if (!wanted.ok()) return failed(kFirmwareInvalidParameter);
    answer(sev::MessageType::kReportResponse, header->version,
           MakeReportResponse(*wanted, header->vmpck));
    return reply;
  }
  if (header->type == sev::MessageType::kKeyRequest &&
      header->version == sev::kKeyMessageVersion) {
    const auto wanted = sev::ParseKeyRequest(payload);
    if (!wanted.ok()) return failed(kFirmwareInvalidParameter);
    auto response = MakeKeyResponse(*wanted, header->vmpck);
    answer(sev::MessageType::kKeyResponse, header->version, response);
    base::SecureZero(response.data(), response.size());
    return reply;
  }
  return failed(kFirmwareInvalidParameter);
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
  const auto signer = Select(request.key_select);
  // A key of VMPL n may ask for reports of n and of less privileged levels.
  if (request.vmpl >= sev::kVmpckCount || request.vmpl < vmpck) {
    status = sev::kReportStatusInvalidParameters;
  } else if (!signer) {
    status = sev::kReportStatusInvalidKeySelect;
  }
  sev::PutLe<uint32_t, layout::Status>(status, out);
  if (status != sev::kReportStatusSuccess) return response;
  const auto report = MakeReport(request, *signer);
  sev::PutLe<uint32_t, layout::ReportSize>(uint32_t{sev::kReportSize}, out);
  memcpy(sev::FieldOf<layout::Report>(out).data(), report.data(),
         report.size());
  return response;
}

std::array<uint8_t, sev::kKeyResponseSize> Firmware::MakeKeyResponse(
    const sev::KeyRequest& request, uint8_t vmpck) {
  namespace layout = sev::key_response_layout;
  std::array<uint8_t, sev::kKeyResponseSize> response{};
  const std::span<uint8_t, sev::kKeyResponseSize> out(response);
  const bool from_chip = request.root == sev::RootKey::kChip;
  const auto chip_key = Select(request.key_select);
  uint32_t status = sev::kReportStatusSuccess;
  if (!MayDerive(request, vmpck, guest_, hierarchy_.model().raw_tcb(),
                 hierarchy_.model().product)) {
    status = sev::kReportStatusInvalidParameters;
  } else if (from_chip && (!chip_key || platform_.mask_chip_key)) {
    // Masked chip keys neither sign nor derive.
    status = sev::kReportStatusInvalidKeySelect;
  }
  sev::PutLe<uint32_t, layout::Status>(status, out);
  if (status != sev::kReportStatusSuccess) return response;
  const DerivedKey derived =
      from_chip ? DeriveKey(RootSecretOf(*chip_key == SignerKind::kVlek
                                             ? hierarchy_.vlek_key()
                                             : hierarchy_.vcek_key()),
                            request, guest_)
                : DeriveKey(vmrk_, request, guest_);
  std::ranges::copy(derived.RevealSecret(),
                    sev::FieldOf<layout::DerivedKey>(out).begin());
  return response;
}

std::optional<SignerKind> Firmware::Select(sev::KeySelect key_select) const {
  switch (key_select) {
    case sev::KeySelect::kVlekIfInstalled:
      return hierarchy_.has_vlek() ? SignerKind::kVlek : SignerKind::kVcek;
    case sev::KeySelect::kVcek:
      return SignerKind::kVcek;
    case sev::KeySelect::kVlek:
      if (!hierarchy_.has_vlek()) return std::nullopt;
      return SignerKind::kVlek;
  }
  return std::nullopt;
}

ReportBytes Firmware::MakeReport(const sev::ReportRequest& request,
                                 SignerKind signer) {
  sev::ReportRequest told = request;
  if (fault_ == Fault::kWrongVmpl) told.vmpl = 1;
  if (fault_ == Fault::kWrongReportData) told.report_data[0] ^= 1;
  const bool vlek = signer == SignerKind::kVlek;
  ReportBytes report = MakeUnsignedReport(
      hierarchy_.model(), hierarchy_.chip_id(), guest_, platform_, told,
      vlek ? sev::SigningKey::kVlek : sev::SigningKey::kVcek);
  if (platform_.mask_chip_key && !vlek) return report;
  // A P-384 signature fails for want of memory only.
  if (!SignReport(vlek ? hierarchy_.vlek_key() : hierarchy_.vcek_key(),
                  report)) {
    abort();
  }
  return report;
}

}  // namespace psp

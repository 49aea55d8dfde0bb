// SPDX-License-Identifier: Apache-2.0
#include "sev/guest_message.h"

#include <string.h>

#include "sev/reasons.h"
#include "sev/secrets_page.h"

namespace sev {
namespace {

constexpr unsigned kKeySelectShift = 1;  // In MSG_KEY_REQ's first word.

base::Status Malformed(base::Reason reason) {
  return base::Status(base::Code::kDataLoss, reason);
}

}  // namespace

void WriteMessageHeader(const MessageHeader& header, MessagePage page) {
  namespace layout = message_layout;
  memset(page.data(), 0, kMessageHeaderSize);
  PutLe<uint64_t, layout::SequenceNumber>(header.sequence_number, page);
  PutLe<uint8_t, layout::Algorithm>(kAeadAes256Gcm, page);
  PutLe<uint8_t, layout::HeaderVersion>(kMessageHeaderVersion, page);
  PutLe<uint16_t, layout::HeaderSize>(uint16_t{kMessageHeaderSize}, page);
  PutLe<uint8_t, layout::Type>(static_cast<uint8_t>(header.type), page);
  PutLe<uint8_t, layout::Version>(header.version, page);
  PutLe<uint16_t, layout::Size>(header.size, page);
  PutLe<uint8_t, layout::Vmpck>(header.vmpck, page);
}

base::Result<MessageHeader> ReadMessageHeader(ConstMessagePage page) {
  namespace layout = message_layout;
  if (GetLe<uint8_t, layout::Algorithm>(page) != kAeadAes256Gcm ||
      GetLe<uint8_t, layout::HeaderVersion>(page) != kMessageHeaderVersion ||
      GetLe<uint16_t, layout::HeaderSize>(page) != kMessageHeaderSize ||
      GetLe<uint8_t, layout::Vmpck>(page) >= kVmpckCount) {
    return Malformed(kMessageHeaderUnknown);
  }
  MessageHeader header;
  header.sequence_number = GetLe<uint64_t, layout::SequenceNumber>(page);
  header.type = static_cast<MessageType>(GetLe<uint8_t, layout::Type>(page));
  header.version = GetLe<uint8_t, layout::Version>(page);
  header.size = GetLe<uint16_t, layout::Size>(page);
  header.vmpck = GetLe<uint8_t, layout::Vmpck>(page);
  if (header.size > kMessageMaxPayload) return Malformed(kMessageTooLong);
  return header;
}

std::array<uint8_t, kReportRequestSize> EncodeReportRequest(
    const ReportRequest& request) {
  namespace layout = report_request_layout;
  std::array<uint8_t, kReportRequestSize> out{};
  const std::span<uint8_t, kReportRequestSize> bytes(out);
  memcpy(FieldOf<layout::ReportData>(bytes).data(), request.report_data.data(),
         request.report_data.size());
  PutLe<uint32_t, layout::Vmpl>(request.vmpl, bytes);
  PutLe<uint32_t, layout::KeySelect>(static_cast<uint32_t>(request.key_select),
                                     bytes);
  return out;
}

base::Result<ReportRequest> ParseReportRequest(base::Bytes payload) {
  namespace layout = report_request_layout;
  if (payload.size() != kReportRequestSize) return Malformed(kMessageTooLong);
  const auto in = payload.first<kReportRequestSize>();
  const uint32_t key_select = GetLe<uint32_t, layout::KeySelect>(in);
  if (!base::AllZero(FieldOf<layout::Reserved48>(in)) || key_select > 2) {
    return Malformed(kMessageReservedNotZero);
  }
  ReportRequest request;
  memcpy(request.report_data.data(), FieldOf<layout::ReportData>(in).data(),
         request.report_data.size());
  request.vmpl = GetLe<uint32_t, layout::Vmpl>(in);
  request.key_select = static_cast<KeySelect>(key_select);
  return request;
}

base::Result<ReportResponse> ParseReportResponse(base::Bytes payload) {
  namespace layout = report_response_layout;
  if (payload.size() < layout::Report::kOffset) {
    return Malformed(kReportResponseMalformed);
  }
  const auto head = payload.first<layout::Report::kOffset>();
  ReportResponse response;
  response.status = GetLe<uint32_t, layout::Status>(head);
  if (response.status != kReportStatusSuccess) return response;
  if (payload.size() != kReportResponseSize ||
      GetLe<uint32_t, layout::ReportSize>(head) != kReportSize) {
    return Malformed(kReportResponseMalformed);
  }
  response.report = payload.subspan<layout::Report::kOffset>();
  return response;
}

std::array<uint8_t, kKeyRequestSize> EncodeKeyRequest(
    const KeyRequest& request) {
  namespace layout = key_request_layout;
  std::array<uint8_t, kKeyRequestSize> out{};
  const std::span<uint8_t, kKeyRequestSize> bytes(out);
  PutLe<uint32_t, layout::Select>(static_cast<uint32_t>(request.root) |
                                      static_cast<uint32_t>(request.key_select)
                                          << kKeySelectShift,
                                  bytes);
  PutLe<uint64_t, layout::GuestFieldSelect>(request.fields, bytes);
  PutLe<uint32_t, layout::Vmpl>(request.vmpl, bytes);
  PutLe<uint32_t, layout::GuestSvn>(request.guest_svn, bytes);
  PutLe<uint64_t, layout::TcbVersion>(request.tcb_version, bytes);
  return out;
}

base::Result<KeyRequest> ParseKeyRequest(base::Bytes payload) {
  namespace layout = key_request_layout;
  if (payload.size() != kKeyRequestSize) return Malformed(kMessageTooLong);
  const auto in = payload.first<kKeyRequestSize>();
  const uint32_t select = GetLe<uint32_t, layout::Select>(in);
  const uint32_t key_select = select >> kKeySelectShift;
  KeyRequest request;
  request.fields = GetLe<uint64_t, layout::GuestFieldSelect>(in);
  if (key_select > 2 || !base::AllZero(FieldOf<layout::Reserved04>(in)) ||
      (request.fields & ~kKeyFieldsKnown) != 0) {
    return Malformed(kMessageReservedNotZero);
  }
  request.root = static_cast<RootKey>(select & 1);
  request.key_select = static_cast<KeySelect>(key_select);
  request.vmpl = GetLe<uint32_t, layout::Vmpl>(in);
  request.guest_svn = GetLe<uint32_t, layout::GuestSvn>(in);
  request.tcb_version = GetLe<uint64_t, layout::TcbVersion>(in);
  return request;
}

base::Result<KeyResponse> ParseKeyResponse(base::Bytes payload) {
  namespace layout = key_response_layout;
  if (payload.size() != kKeyResponseSize) {
    return Malformed(kReportResponseMalformed);
  }
  const auto in = payload.first<kKeyResponseSize>();
  KeyResponse response;
  response.status = GetLe<uint32_t, layout::Status>(in);
  if (response.status == kReportStatusSuccess) {
    response.derived_key = FieldOf<layout::DerivedKey>(in);
  }
  return response;
}

}  // namespace sev

// SPDX-License-Identifier: Apache-2.0
//
// Guest messages: the encrypted pages of SNP_GUEST_REQUEST, and two requests,
// MSG_REPORT_REQ and MSG_KEY_REQ.
//
// Spec: AMD 56860 rev. 1.58, SNP_GUEST_REQUEST, tables "Message Header Format",
// "AEAD Algorithm Encodings", "Message Type Encodings", "MSG_REPORT_REQ Message
// Structure", "MSG_REPORT_RSP Message Structure", "MSG_KEY_REQ Message
// Structure", "MSG_KEY_RSP Message Structure".
//
//   page   = header (96 bytes) ‖ ciphertext (MSG_SIZE bytes) ‖ zeros
//   cipher = AES-256-GCM under a VMPCK; tag in AUTHTAG's first 16 bytes
//   IV     = MSG_SEQNO, little-endian, zero-extended to 12 bytes
//   AAD    = header bytes 30h to 5Fh
// A request's number is one more than the last message's of either side under
// that key; the response's is the request's plus one.
//
// Layouts and pure functions only: who seals and opens brings the cipher.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "sev/report.h"
#include "sev/wire_field.h"

namespace sev {

namespace message_layout {
using AuthTag = WireField<0x00, 32>;
using SequenceNumber = WireField<0x20, 8>;
using Reserved28 = WireField<0x28, 8>;
using Algorithm = WireField<0x30, 1>;
using HeaderVersion = WireField<0x31, 1>;
using HeaderSize = WireField<0x32, 2>;
using Type = WireField<0x34, 1>;
using Version = WireField<0x35, 1>;
using Size = WireField<0x36, 2>;
using Reserved38 = WireField<0x38, 4>;
using Vmpck = WireField<0x3C, 1>;
using Reserved3D = WireField<0x3D, 3>;
using Reserved40 = WireField<0x40, 32>;
static_assert(Tile<AuthTag, SequenceNumber, Reserved28, Algorithm,
                   HeaderVersion, HeaderSize, Type, Version, Size, Reserved38,
                   Vmpck, Reserved3D, Reserved40>(0x60));
}  // namespace message_layout

inline constexpr size_t kMessagePageSize = 4096;
inline constexpr size_t kMessageHeaderSize = message_layout::Reserved40::kEnd;
inline constexpr size_t kMessageMaxPayload =
    kMessagePageSize - kMessageHeaderSize;
inline constexpr size_t kMessageAadOffset = message_layout::Algorithm::kOffset;
inline constexpr size_t kMessageAadSize =
    kMessageHeaderSize - kMessageAadOffset;
inline constexpr size_t kMessageIvSize = 12;
inline constexpr size_t kMessageTagSize = 16;  // The rest of AUTHTAG is zero.

inline constexpr uint8_t kAeadAes256Gcm = 1;
inline constexpr uint8_t kMessageHeaderVersion = 1;

enum class MessageType : uint8_t {
  kKeyRequest = 3,
  kKeyResponse = 4,
  kReportRequest = 5,
  kReportResponse = 6,
};
inline constexpr uint8_t kReportMessageVersion = 1;
// Version 2 adds a mitigation vector; nobody asks for it.
inline constexpr uint8_t kKeyMessageVersion = 1;

using MessagePage = std::span<uint8_t, kMessagePageSize>;
using ConstMessagePage = std::span<const uint8_t, kMessagePageSize>;

struct MessageHeader {
  uint64_t sequence_number = 0;
  MessageType type = MessageType::kReportRequest;
  uint8_t version = kReportMessageVersion;
  uint16_t size = 0;  // Bytes of payload, at most kMessageMaxPayload.
  uint8_t vmpck = 0;  // 0 to 3.
};

// Writes the header with a zero tag; the tag goes in once the payload is
// sealed. Does not touch the payload.
void WriteMessageHeader(const MessageHeader& header, MessagePage page);

// Reads a header from private memory. Reserved bytes are not looked at: AMD's
// firmware has been seen to leave some of them set in responses, and the AAD
// covers those that matter.
//   kDataLoss: an algorithm, header version or header size that is not known,
//              a size that does not fit, or an unknown key number. `type` is
//              whatever was there: compare it with what was expected.
base::Result<MessageHeader> ReadMessageHeader(ConstMessagePage page);

constexpr std::array<uint8_t, kMessageIvSize> MessageIv(
    uint64_t sequence_number) {
  std::array<uint8_t, kMessageIvSize> iv{};
  base::StoreLe<uint64_t>(sequence_number,
                          std::span<uint8_t, kMessageIvSize>(iv).first<8>());
  return iv;
}

inline std::span<const uint8_t, kMessageAadSize> MessageAad(
    ConstMessagePage page) {
  return page.subspan<kMessageAadOffset, kMessageAadSize>();
}
inline std::span<uint8_t, kMessageTagSize> MessageTag(MessagePage page) {
  return page.first<kMessageTagSize>();
}
inline std::span<const uint8_t, kMessageTagSize> MessageTag(
    ConstMessagePage page) {
  return page.first<kMessageTagSize>();
}
// `size` is at most kMessageMaxPayload.
inline base::MutableBytes MessagePayload(MessagePage page, size_t size) {
  return page.subspan<kMessageHeaderSize>().first(size);
}
inline base::Bytes MessagePayload(ConstMessagePage page, size_t size) {
  return page.subspan<kMessageHeaderSize>().first(size);
}

// --- MSG_REPORT_REQ

namespace report_request_layout {
using ReportData = WireField<0x00, 64>;
using Vmpl = WireField<0x40, 4>;
using KeySelect = WireField<0x44, 4>;  // Bits 1:0; the rest reserved.
using Reserved48 = WireField<0x48, 24>;
static_assert(Tile<ReportData, Vmpl, KeySelect, Reserved48>(0x60));
}  // namespace report_request_layout

inline constexpr size_t kReportRequestSize =
    report_request_layout::Reserved48::kEnd;

// KEY_SEL.
enum class KeySelect : uint8_t {
  kVlekIfInstalled = 0,  // else the VCEK
  kVcek = 1,
  kVlek = 2,
};

struct ReportRequest {
  std::array<uint8_t, 64> report_data{};
  uint32_t vmpl = 0;
  KeySelect key_select = KeySelect::kVlekIfInstalled;
};

std::array<uint8_t, kReportRequestSize> EncodeReportRequest(
    const ReportRequest& request);

// For the emulated firmware.
//   kDataLoss: wrong size, a reserved byte that is not zero, unknown KEY_SEL.
base::Result<ReportRequest> ParseReportRequest(base::Bytes payload);

// --- MSG_REPORT_RSP

namespace report_response_layout {
using Status = WireField<0x00, 4>;
using ReportSize = WireField<0x04, 4>;
using Reserved08 = WireField<0x08, 24>;
using Report = WireField<0x20, kReportSize>;
static_assert(Tile<Status, ReportSize, Reserved08, Report>(0x4C0));
}  // namespace report_response_layout

inline constexpr size_t kReportResponseSize =
    report_response_layout::Report::kEnd;

// STATUS.
inline constexpr uint32_t kReportStatusSuccess = 0;
inline constexpr uint32_t kReportStatusInvalidParameters = 0x16;
inline constexpr uint32_t kReportStatusInvalidKeySelect = 0x27;

struct ReportResponse {
  uint32_t status = kReportStatusSuccess;
  // Into the parsed payload; empty unless status is success.
  base::Bytes report;
};

// `payload` stays owned by the caller and outlives the result. The report is
// not parsed: see sev/report.h.
//   kDataLoss: shorter than its fixed part, or on success REPORT_SIZE is not
//              that of a report, or the payload is not that long.
base::Result<ReportResponse> ParseReportResponse(base::Bytes payload);

// --- MSG_KEY_REQ, version 1

namespace key_request_layout {
using Select = WireField<0x00, 4>;  // Bit 0 root, bits 2:1 KEY_SEL.
using Reserved04 = WireField<0x04, 4>;
using GuestFieldSelect = WireField<0x08, 8>;
using Vmpl = WireField<0x10, 4>;
using GuestSvn = WireField<0x14, 4>;
using TcbVersion = WireField<0x18, 8>;
static_assert(Tile<Select, Reserved04, GuestFieldSelect, Vmpl, GuestSvn,
                   TcbVersion>(0x20));
}  // namespace key_request_layout

inline constexpr size_t kKeyRequestSize = key_request_layout::TcbVersion::kEnd;

// ROOT_KEY_SELECT.
enum class RootKey : uint8_t {
  kChip = 0,  // the VCEK or the VLEK, as KEY_SEL says
  kVmrk = 1,  // the VM root key, which a migration agent may carry along
};

// GUEST_FIELD_SELECT: what is mixed into the key beside the VMPL.
inline constexpr uint64_t kKeyFieldGuestPolicy = uint64_t{1} << 0;
inline constexpr uint64_t kKeyFieldImageId = uint64_t{1} << 1;
inline constexpr uint64_t kKeyFieldFamilyId = uint64_t{1} << 2;
inline constexpr uint64_t kKeyFieldMeasurement = uint64_t{1} << 3;
inline constexpr uint64_t kKeyFieldGuestSvn = uint64_t{1} << 4;
inline constexpr uint64_t kKeyFieldTcbVersion = uint64_t{1} << 5;
inline constexpr uint64_t kKeyFieldsKnown = (uint64_t{1} << 6) - 1;

struct KeyRequest {
  RootKey root = RootKey::kChip;
  KeySelect key_select = KeySelect::kVlekIfInstalled;
  uint64_t fields = 0;       // kKeyField... bits
  uint32_t vmpl = 0;         // Always mixed in; at least the requester's.
  uint32_t guest_svn = 0;    // At most the guest's.
  uint64_t tcb_version = 0;  // Raw; no part above the committed TCB's.
};

std::array<uint8_t, kKeyRequestSize> EncodeKeyRequest(
    const KeyRequest& request);

// For the emulated firmware.
//   kDataLoss: wrong size, a reserved bit that is not zero, unknown KEY_SEL.
base::Result<KeyRequest> ParseKeyRequest(base::Bytes payload);

// --- MSG_KEY_RSP

namespace key_response_layout {
using Status = WireField<0x00, 4>;  // The values of MSG_REPORT_RSP.
using Reserved04 = WireField<0x04, 28>;
using DerivedKey = WireField<0x20, 32>;
static_assert(Tile<Status, Reserved04, DerivedKey>(0x40));
}  // namespace key_response_layout

inline constexpr size_t kDerivedKeySize =
    key_response_layout::DerivedKey::kSize;
inline constexpr size_t kKeyResponseSize =
    key_response_layout::DerivedKey::kEnd;

struct KeyResponse {
  uint32_t status = kReportStatusSuccess;
  // Into the parsed payload, and secret; empty unless status is success.
  base::Bytes derived_key;
};

// `payload` stays owned by the caller and outlives the result.
//   kDataLoss: not of the one size that it has.
base::Result<KeyResponse> ParseKeyResponse(base::Bytes payload);

}  // namespace sev

// SPDX-License-Identifier: Apache-2.0
#include "proxy/registration.h"

#include "base/bytes.h"
#include "proxy/crc32.h"
#include "proxy/page_layout.h"
#include "proxy/reasons.h"

namespace proxy {
namespace {

constexpr uint32_t kMagic = 0x52434C46;  // "FLCR"
constexpr size_t kChecked = kRegistrationSize - sizeof(uint32_t);

}  // namespace

RegistrationRecord EncodeRegistration(const Registration& registration) {
  RegistrationRecord record{};
  const std::span<uint8_t, kRegistrationSize> out(record);
  base::StoreLe<uint32_t>(kMagic, out.subspan<0, 4>());
  base::StoreLe<uint16_t>(kRegistrationVersion, out.subspan<4, 2>());
  base::StoreLe<uint64_t>(registration.gpa, out.subspan<8, 8>());
  base::StoreLe<uint32_t>(registration.length, out.subspan<16, 4>());
  base::StoreLe<uint32_t>(registration.session, out.subspan<20, 4>());
  base::StoreLe<uint32_t>(Crc32(out.first<kChecked>()), out.subspan<24, 4>());
  return record;
}

bool IsRegistration(std::span<const uint8_t, kRegistrationSize> record) {
  return base::LoadLe<uint32_t>(record.subspan<0, 4>()) == kMagic &&
         base::LoadLe<uint32_t>(record.subspan<24, 4>()) ==
             Crc32(record.first<kChecked>());
}

base::Result<Registration> ParseRegistration(
    std::span<const uint8_t, kRegistrationSize> record) {
  if (base::LoadLe<uint16_t>(record.subspan<4, 2>()) != kRegistrationVersion ||
      base::LoadLe<uint16_t>(record.subspan<6, 2>()) != 0) {
    return base::Status(base::Code::kInvalidArgument, kRegistrationMalformed);
  }
  const Registration registration = {
      .gpa = base::LoadLe<uint64_t>(record.subspan<8, 8>()),
      .length = base::LoadLe<uint32_t>(record.subspan<16, 4>()),
      .session = base::LoadLe<uint32_t>(record.subspan<20, 4>()),
  };
  if (registration.session == 0) {
    return base::Status(base::Code::kInvalidArgument, kRegistrationMalformed);
  }
  if (registration.length != kSharedRangeSize ||
      registration.gpa % kPageSize != 0 ||
      registration.gpa > kSharedRangeLimit - kSharedRangeSize) {
    return base::Status(base::Code::kInvalidArgument, kSharedRangeInvalid);
  }
  return registration;
}

}  // namespace proxy

// SPDX-License-Identifier: Apache-2.0
#include "proxy/host/registration_parser.h"

#include <vector>

#include "gtest/gtest.h"
#include "proxy/page_layout.h"
#include "proxy/registration.h"

namespace proxy::host {
namespace {

struct Count {
  int records = 0;
  int bells = 0;
};

Count Push(RegistrationParser& parser, const std::vector<uint8_t>& bytes) {
  Count count;
  for (const uint8_t byte : bytes) {
    const auto event = parser.Push(byte);
    if (!event.has_value()) continue;
    ++(event->record.has_value() ? count.records : count.bells);
  }
  return count;
}

std::vector<uint8_t> Record(uint64_t gpa = 0x200000) {
  const auto record = EncodeRegistration(
      {.gpa = gpa, .length = kSharedRangeSize, .session = 1});
  return {record.begin(), record.end()};
}

TEST(RegistrationParser, FindsARecordAfterEveryTail) {
  const std::vector<uint8_t> record = Record();
  for (size_t from = 0; from <= record.size(); ++from) {
    RegistrationParser parser;
    std::vector<uint8_t> bytes(record.begin() + static_cast<ptrdiff_t>(from),
                               record.end());
    bytes.insert(bytes.end(), record.begin(), record.end());
    EXPECT_EQ(Push(parser, bytes).records, from == 0 ? 2 : 1) << from;
  }
}

TEST(RegistrationParser, FindsARecordAfterEveryCutOff) {
  const std::vector<uint8_t> record = Record();
  for (size_t size = 0; size < record.size(); ++size) {
    RegistrationParser parser;
    std::vector<uint8_t> bytes(record.begin(),
                               record.begin() + static_cast<ptrdiff_t>(size));
    bytes.insert(bytes.end(), record.begin(), record.end());
    EXPECT_EQ(Push(parser, bytes).records, 1) << size;
  }
}

TEST(RegistrationParser, ReportsDoorbellsAmongRecords) {
  RegistrationParser parser;
  EXPECT_EQ(Push(parser, {'D', 'x', 'D'}).bells, 2);
  EXPECT_EQ(Push(parser, Record()).records, 1);
  EXPECT_EQ(Push(parser, {'D'}).bells, 1);
}

TEST(RegistrationParser, ARecordCountsOnce) {
  RegistrationParser parser;
  EXPECT_EQ(Push(parser, Record()).records, 1);
  EXPECT_EQ(Push(parser, std::vector<uint8_t>(100, 0)).records, 0);
}

}  // namespace
}  // namespace proxy::host

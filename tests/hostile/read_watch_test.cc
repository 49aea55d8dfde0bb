// SPDX-License-Identifier: Apache-2.0
#include "tests/hostile/read_watch.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace hostile {
namespace {

ReadWatch MakeWatch() {
  return ReadWatch({
      {"page", 0x1000, 0x1000, Renewal::kNever, {}},
      {"answer", 0x1000, 16, Renewal::kAnyExit, {}},
      {"file", 0x1010, 16, Renewal::kFwCfg, {}},
      {"response", 0x1020, 16, Renewal::kRequest, {}},
      {"word", 0x1030, 4, Renewal::kAnyExit | Renewal::kPause, {}},
      {"ring", 0x1040, 8, Renewal::kStore, {0x1080, 4}},
      {"index", 0x1048, 4, Renewal::kLook, {0x1050, 4}},
      {"echo", 0x1050, 4, Renewal::kAnyTime, {}},
  });
}

TEST(ReadWatch, EachByteCounts) {
  ReadWatch watch = MakeWatch();
  EXPECT_EQ(watch.Read(0x1000, 8), std::nullopt);
  EXPECT_EQ(watch.Read(0x1008, 8), std::nullopt);
  EXPECT_EQ(watch.Read(0x1007, 1),
            "answer is read a second time at +0x7 (0x1007)");
  // The end of one that was not read yet.
  EXPECT_EQ(watch.Read(0x1010, 1), std::nullopt);
  EXPECT_NE(watch.Read(0x1010, 8), std::nullopt);
  EXPECT_EQ(watch.reads("answer"), 3u);
  EXPECT_EQ(watch.reads("file"), 2u);
}

TEST(ReadWatch, APlaceIsRenewedByWhatItNamesOnly) {
  struct Row {
    uint64_t gpa;
    bool exit, fw_cfg, request, pause, store, look;
  };
  for (const Row& row : {Row{0x1000, true, true, true, false, false, false},
                         Row{0x1010, false, true, false, false, false, false},
                         Row{0x1020, false, false, true, false, false, false},
                         Row{0x1030, true, true, true, true, false, false},
                         Row{0x1040, false, false, false, false, true, false},
                         Row{0x1048, false, false, false, false, false, true},
                         Row{0x1050, true, true, true, true, true, true}}) {
    const auto again = [&](auto renew) {
      ReadWatch watch = MakeWatch();
      EXPECT_EQ(watch.Read(row.gpa, 4), std::nullopt);
      renew(watch);
      return !watch.Read(row.gpa, 4).has_value();
    };
    EXPECT_EQ(again([](ReadWatch&) {}), row.gpa == 0x1050) << row.gpa;
    EXPECT_EQ(again([](ReadWatch& w) { w.Exited(Cause::kConsole); }), row.exit);
    EXPECT_EQ(again([](ReadWatch& w) { w.Exited(Cause::kFwCfg); }), row.fw_cfg);
    EXPECT_EQ(again([](ReadWatch& w) { w.Exited(Cause::kGuestRequest); }),
              row.request);
    EXPECT_EQ(again([](ReadWatch& w) { w.Exited(Cause::kExtendedRequest); }),
              row.request);
    EXPECT_EQ(again([](ReadWatch& w) { w.Paused(); }), row.pause);
    EXPECT_EQ(again([](ReadWatch& w) { w.Stored(0x1080, 4); }), row.store);
    EXPECT_EQ(again([](ReadWatch& w) { w.Read(0x1050, 4); }), row.look);
    EXPECT_EQ(again([](ReadWatch& w) { w.Stored(0x107C, 4); }),
              row.gpa == 0x1050);
  }
}

TEST(ReadWatch, WhatNobodyNamedIsReported) {
  ReadWatch watch = MakeWatch();
  EXPECT_EQ(watch.Read(0x1060, 4), "page is read at +0x60 (0x1060)");
  EXPECT_EQ(watch.Read(0x3000, 4),
            "a shared page that has no name is read at 0x3000");
}

TEST(ReadWatch, KnowsWhatIsPolled) {
  const ReadWatch watch = MakeWatch();
  EXPECT_TRUE(watch.Polled(0x1030));
  EXPECT_TRUE(watch.Polled(0x1050));
  EXPECT_FALSE(watch.Polled(0x1000));
  EXPECT_FALSE(watch.Polled(0x1040));
  EXPECT_FALSE(watch.Polled(0x9000));
}

}  // namespace
}  // namespace hostile

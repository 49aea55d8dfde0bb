// SPDX-License-Identifier: Apache-2.0
#include "tools/reasons/all_reasons.h"

#include <ctype.h>

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "base/reasons.h"
#include "gtest/gtest.h"
#include "sev/ghcb.h"
#include "sev/termination.h"

namespace reasons {
namespace {

TEST(AllReasons, NoTwoAreTheSame) {
  std::map<uint32_t, std::string> seen;
  for (const ReasonModule& module : AllReasons()) {
    for (const base::ReasonRow& row : module.rows) {
      const auto [at, added] = seen.emplace(
          row.reason.bits, std::string(module.folder) + ": " + row.what);
      EXPECT_TRUE(added) << base::NameOf(row.reason).text << " is both "
                         << at->second << " and " << module.folder << ": "
                         << row.what;
    }
  }
}

TEST(AllReasons, OneTagForEachList) {
  std::map<std::string, std::string> folder_of;
  for (const ReasonModule& module : AllReasons()) {
    ASSERT_FALSE(module.rows.empty()) << module.folder;
    const base::Reason first = module.rows.front().reason;
    const std::string tag = {first.tag0(), first.tag1()};
    EXPECT_TRUE(folder_of.emplace(tag, module.folder).second)
        << tag << " is the tag of " << folder_of[tag] << " and of "
        << module.folder;
    for (const base::ReasonRow& row : module.rows) {
      EXPECT_EQ((std::string{row.reason.tag0(), row.reason.tag1()}), tag)
          << module.folder << ": " << row.what;
    }
  }
}

TEST(AllReasons, NumbersAppendFromOne) {
  for (const ReasonModule& module : AllReasons()) {
    unsigned last = 0;
    for (const base::ReasonRow& row : module.rows) {
      EXPECT_GT(row.reason.number(), last) << base::NameOf(row.reason).text;
      last = row.reason.number();
    }
  }
}

TEST(AllReasons, AreWordsForPeople) {
  for (const ReasonModule& module : AllReasons()) {
    for (const base::ReasonRow& row : module.rows) {
      const std::string_view what = row.what;
      const std::string_view advice = row.advice;
      const std::string name = base::NameOf(row.reason).text;
      ASSERT_FALSE(what.empty()) << name;
      ASSERT_FALSE(advice.empty()) << name;
      // A name or an abbreviation (TLS, VMPCK0) may start with a capital.
      EXPECT_FALSE(what.size() > 1 && isupper(what[0]) && islower(what[1]))
          << name << ": " << what;
      EXPECT_NE(what.back(), '.') << name << ": " << what;
      EXPECT_TRUE(advice.ends_with('.') || advice.ends_with('?'))
          << name << ": " << advice;
      for (const std::string_view text : {what, advice}) {
        for (const char c : text) EXPECT_TRUE(c >= ' ' && c <= '~') << name;
      }
    }
  }
}

// Every reason of a module that has a reason code set: there, back, and like no
// other.
TEST(AllReasons, ThoseOfAGuestFitATermination) {
  const std::set<std::string> tags(std::begin(sev::kTerminateTags),
                                   std::end(sev::kTerminateTags));
  ASSERT_EQ(tags.size(), sev::kTerminateTagCount);
  std::set<uint64_t> seen;
  for (const ReasonModule& module : AllReasons()) {
    for (const base::ReasonRow& row : module.rows) {
      const std::string name = base::NameOf(row.reason).text;
      const uint64_t request = sev::TerminateRequest(row.reason);
      if (!tags.contains(name.substr(0, 2))) {
        EXPECT_EQ(request, sev::kMsrTerminate) << name;
        continue;
      }
      EXPECT_EQ(sev::ReasonOf(sev::TerminationIn(request)), row.reason) << name;
      EXPECT_TRUE(seen.insert(request).second) << name;
    }
  }
  EXPECT_GT(seen.size(), 100u);
}

// Who adds a module to the image adds its tag to sev/termination.h.
TEST(AllReasons, EveryModuleThatAGuestShowsHasATermination) {
  for (const ReasonModule& module : AllReasons()) {
    const bool guest =
        std::string_view(module.where).find("guest") != std::string_view::npos;
    const base::Reason first = module.rows.front().reason;
    EXPECT_EQ(sev::TerminationOf(first).set >= sev::kTerminateFirstSet, guest)
        << module.folder;
  }
}

}  // namespace
}  // namespace reasons

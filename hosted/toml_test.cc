// SPDX-License-Identifier: Apache-2.0
#include "hosted/toml.h"

#include <array>
#include <string>

#include "gtest/gtest.h"

namespace hosted {
namespace {

constexpr base::Reason kSyntax('T', 'T', 1), kUnknown('T', 'T', 2);
constexpr base::Reason kMissing('T', 'T', 3), kBad('T', 'T', 4);
constexpr base::ReasonRow kRows[] = {{kSyntax, "no TOML", ""},
                                     {kUnknown, "an unknown key", ""},
                                     {kMissing, "a missing key", ""},
                                     {kBad, "a bad value", ""}};
constexpr TomlReasons kReasons = {.rows = kRows,
                                  .syntax = kSyntax,
                                  .unknown_key = kUnknown,
                                  .missing_key = kMissing,
                                  .bad_value = kBad};

// The message about `text` as a file of this shape; empty: it is good.
std::string Read(std::string_view text) {
  TomlErrors errors("f", kReasons);
  const auto parsed = ParseToml(text, 200, errors);
  if (!parsed) return std::string(errors.status().message());
  TomlTable root(*parsed, "", errors);
  root.String("name");
  if (const toml::node* node = root.Find("colour")) {
    root.Choice<int>("colour", *node, {{"red", 1}, {"green", 2}});
  }
  if (const toml::node* node = root.Find("count")) {
    root.Integer("count", *node, 2, 4, "want 2 to 4");
  }
  if (const toml::node* node = root.Find("words")) {
    root.Strings("words", *node, TomlTable::Empty::kRefused,
                 [](std::string_view, const toml::node&) {});
  }
  if (root.Find("inner") != nullptr) {
    TomlTable inner = root.Table("inner");
    inner.Bool("on");
    inner.RefuseUnknown();
  }
  root.RefuseUnknown();
  return std::string(errors.status().message());
}

TEST(TomlTable, ReadsWhatIsRight) {
  EXPECT_EQ(Read("name = \"a\""), "");
  EXPECT_EQ(Read("name = \"a\"\ncolour = \"green\"\ncount = 4\n"
                 "words = [\"a\"]\n[inner]\non = true\n"),
            "");
}

TEST(TomlTable, SaysWhatIsWrongAndWhere) {
  const struct {
    std::string text, message;
  } rows[] = {
      {"name = ", "TT1 no TOML: f:1:"},
      {"name = \"a\"\n\xC2\xBF = 1", "TT1 no TOML: f:2:1: "},
      {std::string(201, '#'), "TT1 no TOML: f: longer than 200 bytes"},
      {"", "TT3 a missing key: f:1:1: key 'name' is missing"},
      {"name = 3", "TT4 a bad value: f:1:8: key 'name': want a string"},
      {"name = \"a\"\nnose = 1",
       "TT2 an unknown key: f:2:1: unknown key 'nose'"},
      {"nam = \"a\"",
       "TT2 an unknown key: f:1:1: unknown key 'nam'; name is missing"},
      {"name = \"a\"\ncolour = \"blue\"",
       "TT4 a bad value: f:2:10: key 'colour': want \"red\" or \"green\""},
      {"name = \"a\"\ncolour = 1", "TT4 a bad value: f:2:10: key 'colour': "},
      {"name = \"a\"\ncount = 1",
       "TT4 a bad value: f:2:9: key 'count': want 2 to 4"},
      {"name = \"a\"\ncount = 5", "TT4 a bad value: f:2:9: "},
      {"name = \"a\"\ncount = -1", "TT4 a bad value: f:2:9: "},
      {"name = \"a\"\nwords = []",
       "TT4 a bad value: f:2:9: key 'words': want a list, not empty"},
      {"name = \"a\"\nwords = [\"a\", 1]",
       "TT4 a bad value: f:2:15: key 'words': want a string"},
      {"name = \"a\"\ninner = 1",
       "TT4 a bad value: f:2:9: key 'inner': want a table"},
      {"name = \"a\"\n[inner]\n",
       "TT3 a missing key: f:2:1: key 'inner.on' is missing"},
      {"name = \"a\"\n[inner]\non = 1",
       "TT4 a bad value: f:3:6: key 'inner.on': want true or false"},
      {"name = \"a\"\n[inner]\non = true\noff = 1",
       "TT2 an unknown key: f:4:1: unknown key 'inner.off'"},
      // The first one only.
      {"name = 1\ncount = 9\nnose = 1", "TT4 a bad value: f:1:8: key 'name'"},
  };
  for (const auto& row : rows) {
    EXPECT_TRUE(Read(row.text).starts_with(row.message))
        << row.text << "\n  " << Read(row.text);
  }
}

TEST(ReadHex, WantsThePrefixAndAllDigits) {
  std::array<uint8_t, 2> out{};
  EXPECT_TRUE(ReadHex("sha:0aFf", "sha:", out));
  EXPECT_EQ(out, (std::array<uint8_t, 2>{0x0a, 0xff}));
  for (const std::string_view bad :
       {"0aff", "sha:0af", "sha:0aff0", "sha:0afg", "sha:", "", "sha: aff"}) {
    EXPECT_FALSE(ReadHex(bad, "sha:", out)) << bad;
  }
}

}  // namespace
}  // namespace hosted

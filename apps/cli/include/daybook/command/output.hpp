#pragma once

#include <exception>
#include <initializer_list>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace daybook::command {

struct OutputOptions {
    bool json = false;           ///< one object per line
    bool colour = false;         ///< in what is written for people
    bool live_progress = false;  ///< progress may be drawn, and drawn over
    bool on_terminal = false;    ///< data goes to a terminal
    int data_descriptor = -1;    ///< where data goes, if it can tell that its reader has left
};

/// Whoever read the data has left: nothing more need be written. Ends a command without a word.
class ReaderLeft : public std::exception {
public:
    const char* what() const noexcept override { return "nobody reads stdout any more"; }
};

/// Where a command writes: data to one stream, everything else to the other. What is data is given
/// as a JSON object, whose keys are a promise to scripts; without `--json` people see the same as
/// text.
///
/// What people see is fit for a terminal, whatever was stored: control characters, direction marks
/// and invisible characters are written out as `\u001b`, line breaks inside a value are blanks.
/// JSON has the same value with escapes.
///
/// What writes data throws ReaderLeft when its reader has left, and StorageError when it cannot be
/// written for another reason. Not thread-safe.
class Output {
public:
    /// The streams must outlive the output.
    Output(std::ostream& data, std::ostream& notes, OutputOptions options) noexcept
        : data_(data), notes_(notes), options_(options) {}

    bool json() const noexcept { return options_.json; }
    const OutputOptions& options() const noexcept { return options_; }

    /// One object: a line of JSON, or `key: value` lines for people.
    void record(const nlohmann::ordered_json& object);
    /// Data as one line: of text, or with `--json` of JSON.
    void line(std::string_view text);
    /// Data as text of several lines.
    void lines(std::string_view text);
    /// For the eyes of whoever runs the command; never data.
    void note(std::string_view text);
    /// Hands over what was written so far.
    void flush();
    /// Whether nobody reads the data any more, found out without writing.
    bool reader_left() const noexcept;

    /// The streams themselves: what is written there reaches a terminal as it is.
    std::ostream& data() noexcept { return data_; }
    std::ostream& notes() noexcept { return notes_; }

private:
    void write(std::string_view text);
    void require_written();

    std::ostream& data_;
    std::ostream& notes_;
    OutputOptions options_;
};

/// Many objects with the same keys: a line of JSON each, or a table for people.
///
///     Listing streams{output, {"stream", "version"}};
///     streams.add({{"stream", "order-1"}, {"version", 3}});
///
/// The table shows the keys it was made with, the JSON all that there are. Numbers stand on the
/// right. Rows are kept back until `rows_kept_max` are there, to find the widths, or the end.
class Listing {
public:
    static constexpr std::size_t rows_kept_max = 1'000;

    /// `output` must outlive the listing.
    Listing(Output& output, std::initializer_list<std::string_view> keys);
    ~Listing();  ///< writes what was kept back
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;

    void add(const nlohmann::ordered_json& object);

private:
    struct Cell {
        std::string text;
        bool right = false;
    };
    using Row = std::vector<Cell>;

    void write(const Row& row);
    void write_kept();

    Output& output_;
    std::vector<std::string> keys_;
    std::vector<std::size_t> widths_;
    std::vector<Row> kept_;
    bool begun_ = false;
};

}  // namespace daybook::command

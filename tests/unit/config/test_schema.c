/* The decoder itself, with a schema that has every type of key. */
#include "config/schema.h"
#include "mistakes.h"

struct house {
        char *street;
        char *colour;
        bool garden, garden_given;
        int64_t floors;
        int64_t area;
        struct strv people;
        int64_t windows; /* their sum */
        struct {
                int64_t height;
        } door;
};

static void house_clear(struct house *house)
{
        free(house->street);
        free(house->colour);
        strv_clear(&house->people);
}

static void decode_window(struct schema_reader *reader, const struct schema_key *key, const struct toml_value *value,
                          void *object)
{
        struct house *house = object;

        if (value->type == TOML_INTEGER)
                house->windows += value->integer;
        else
                schema_mistake(reader, value->line, value->column, "no window");
}

static int check_person(const char *text, struct error **err)
{
        if (*text >= 'A' && *text <= 'Z')
                return 0;
        error_set(err, ERROR_FAILED, "'%s' is no name", text);
        return error_hint(err, "begin it with a capital");
}

static void finish_house(struct schema_reader *reader, const struct toml_value *table, void *object)
{
        const struct house *house = object;

        if (house->garden && house->floors > 3)
                schema_mistake(reader, table->line, table->column, "no garden with so many floors");
}

static const char *const colours[] = { "red", "green", "blue", NULL };

static const struct schema_key door_keys[] = {
        { .name = "height", .type = SCHEMA_INTEGER, .offset = 0, .low = 1, .high = 3, .fallback = "2", .summary = "metres" },
        { 0 },
};
static const struct schema door_schema = { .keys = door_keys };

static const struct schema_key base_keys[] = {
        { .name = "street",
          .type = SCHEMA_STRING,
          .required = true,
          .offset = offsetof(struct house, street),
          .summary = "where" },
        { 0 },
};
static const struct schema base_schema = { .keys = base_keys, .finish = finish_house };

static const struct schema_key house_keys[] = {
        { .name = "colour",
          .type = SCHEMA_CHOICE,
          .offset = offsetof(struct house, colour),
          .choices = colours,
          .fallback = "red",
          .summary = "of its walls" },
        { .name = "garden",
          .type = SCHEMA_BOOL,
          .offset = offsetof(struct house, garden),
          .given = offsetof(struct house, garden_given),
          .fallback = "none",
          .summary = "is there one?" },
        { .name = "floors",
          .type = SCHEMA_INTEGER,
          .offset = offsetof(struct house, floors),
          .low = 1,
          .high = 9,
          .fallback = "1",
          .summary = "above the ground" },
        { .name = "area",
          .type = SCHEMA_SIZE,
          .offset = offsetof(struct house, area),
          .low = 1 << 20,
          .high = INT64_C(8) << 30,
          .fallback = "1 GiB",
          .summary = "of its plan" },
        { .name = "people",
          .type = SCHEMA_STRINGS,
          .offset = offsetof(struct house, people),
          .high = 3,
          .check = check_person,
          .items = "names",
          .fallback = "nobody",
          .summary = "who lives there" },
        { .name = "windows",
          .type = SCHEMA_ARRAY,
          .high = 2,
          .decode = decode_window,
          .items = "widths",
          .fallback = "none",
          .summary = "in centimetres" },
        { .name = "door",
          .type = SCHEMA_TABLE,
          .offset = offsetof(struct house, door),
          .schema = &door_schema,
          .fallback = "none",
          .summary = "the way in" },
        { 0 },
};
static const struct schema house_schema = { .keys = house_keys, .base = &base_schema };

static int decode(const char *text, struct house *house, struct error **err)
{
        _cleanup_(toml_freep) struct toml_value *root = toml_parse(text, strlen(text), "house.toml", err);

        assert_non_null(root);
        return schema_decode(&house_schema, root, "house.toml", house, err);
}

static void assert_house_mistakes(const char *text, const char *expected)
{
        _cleanup_(house_clear) struct house house = { 0 };
        struct error *error = NULL;

        assert_int_equal(decode(text, &house, &error), -1);
        assert_mistakes(error, expected);
}

static void every_type_reaches_its_field(void **state)
{
        _cleanup_(house_clear) struct house house = { 0 };
        _cleanup_(error_freep) struct error *error = NULL;

        assert_int_equal(decode("street = 'Long Lane 7'\ncolour = 'blue'\ngarden = true\nfloors = 2\narea = '1.5GiB'\n"
                                "people = ['Ann', 'Bob']\nwindows = [80, 120]\ndoor = { height = 3 }\n",
                                &house, &error),
                         0);
        assert_null(error);
        assert_string_equal(house.street, "Long Lane 7");
        assert_string_equal(house.colour, "blue");
        assert_true(house.garden && house.garden_given);
        assert_int_equal(house.floors, 2);
        assert_int_equal(house.area, INT64_C(3) << 29);
        assert_int_equal(house.people.count, 2);
        assert_string_equal(house.people.items[1], "Bob");
        assert_int_equal(house.windows, 200);
        assert_int_equal(house.door.height, 3);
}

static void a_key_that_is_not_there_leaves_its_field_alone(void **state)
{
        _cleanup_(house_clear) struct house house = { .floors = 5, .colour = xstrdup("red") };

        assert_int_equal(decode("street = 'x'\n", &house, NULL), 0);
        assert_int_equal(house.floors, 5);
        assert_string_equal(house.colour, "red");
        assert_false(house.garden_given);
}

static void a_whole_number_as_a_size_is_gibibytes(void **state)
{
        _cleanup_(house_clear) struct house house = { 0 };

        assert_int_equal(decode("street = 'x'\narea = 8\n", &house, NULL), 0);
        assert_int_equal(house.area, INT64_C(8) << 30);
}

static void every_wrong_type_is_said_in_words(void **state)
{
        assert_house_mistakes(
                "street = 1\ncolour = 2.5\ngarden = 'yes'\nfloors = '2'\narea = true\npeople = 'Ann'\nwindows = {}\ndoor = []\n",
                "house.toml:1:10: 'street' must be a string, not a whole number\n"
                "house.toml:2:10: 'colour' must be 'red', 'green' or 'blue', not a number\n"
                "house.toml:3:10: 'garden' must be true or false, not a string\n"
                "house.toml:4:10: 'floors' must be a whole number, not a string\n"
                "house.toml:5:8: 'area' must be a whole number of GiB or a size, not true or false "
                "[write 8 for 8 GiB, or a size such as \"8GiB\" or \"512MiB\"]\n"
                "house.toml:6:10: 'people' must be a list of names, not a string\n"
                "house.toml:7:11: 'windows' must be a list of widths, not a table\n"
                "house.toml:8:8: 'door' must be a table, not an array\n");
}

static void values_out_of_range_are_told_the_range(void **state)
{
        assert_house_mistakes("street = ''\nfloors = 10\narea = 9\n",
                              "house.toml:1:10: an empty text in 'street'\n"
                              "house.toml:2:10: 'floors' must be between 1 and 9, not 10\n"
                              "house.toml:3:8: 'area' must be between 1.0 MiB and 8.0 GiB\n");
        assert_house_mistakes("street = 'x'\narea = 9223372036854775807\n",
                              "house.toml:2:8: 'area' must be between 1.0 MiB and 8.0 GiB\n");
        assert_house_mistakes("street = 'x'\narea = -9223372036854775808\n",
                              "house.toml:2:8: 'area' must be between 1.0 MiB and 8.0 GiB\n");
        assert_house_mistakes("street = 'x'\narea = 'much'\n",
                              "house.toml:2:8: 'area' can't be 'much', which is not a size "
                              "[write 8 for 8 GiB, or a size such as \"8GiB\" or \"512MiB\"]\n");
}

static void items_of_lists_have_their_own_places(void **state)
{
        assert_house_mistakes("street = 'x'\npeople = ['Ann', 7, 'bob']\nwindows = [\n  'wide',\n]\n",
                              "house.toml:2:18: an item of 'people' must be a string, not a whole number\n"
                              "house.toml:2:21: 'bob' is no name [begin it with a capital]\n"
                              "house.toml:4:3: no window\n");
        assert_house_mistakes("street = 'x'\npeople = ['Ann', 'Ann']\n", "house.toml:2:18: 'Ann' is in 'people' twice\n");
        assert_house_mistakes("street = 'x'\nwindows = [1, 2, 3]\n",
                              "house.toml:2:11: 'windows' has 3 items, at most 2 are allowed\n");
}

static void unknown_keys_are_told_the_nearest_one_or_all(void **state)
{
        assert_house_mistakes("street = 'x'\nflors = 1\ndoor = { heigth = 2 }\npool = true\n",
                              "house.toml:2:1: unknown key 'flors' [did you mean 'floors'?]\n"
                              "house.toml:3:10: unknown key 'heigth' [did you mean 'height'?]\n"
                              "house.toml:4:1: unknown key 'pool' "
                              "[known keys: colour, garden, floors, area, people, windows, door, street]\n");
}

static void wrong_choices_are_told_the_nearest_one(void **state)
{
        assert_house_mistakes(
                "street = 'x'\ncolour = 'gren'\n",
                "house.toml:2:10: 'colour' must be 'red', 'green' or 'blue', not 'gren' [did you mean 'green'?]\n");
        assert_house_mistakes("street = 'x'\ncolour = 'octarine'\n",
                              "house.toml:2:10: 'colour' must be 'red', 'green' or 'blue', not 'octarine'\n");
}

static void a_required_key_may_not_be_missing(void **state)
{
        assert_house_mistakes("floors = 1\n", "house.toml:1:1: 'street' is missing\n");
}

static void what_holds_between_keys_is_checked_at_the_end(void **state)
{
        assert_house_mistakes("street = 'x'\ngarden = true\nfloors = 4\n", "house.toml:1:1: no garden with so many floors\n");
}

static void mistakes_are_sorted_by_their_place(void **state)
{
        /* The missing key is found last, the table's members in the order of the file. */
        assert_house_mistakes("\n\ncolour = 1\n[door]\nheight = 9\nwidth = 1\n",
                              "house.toml:1:1: 'street' is missing\n"
                              "house.toml:3:10: 'colour' must be 'red', 'green' or 'blue', not a whole number\n"
                              "house.toml:5:10: 'height' must be between 1 and 3, not 9\n"
                              "house.toml:6:1: unknown key 'width' [known keys: height]\n");
}

static void beyond_a_hundred_mistakes_are_counted(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;
        _cleanup_(house_clear) struct house house = { 0 };
        _cleanup_(error_freep) struct error *error = NULL;
        const struct error *last;
        size_t count = 1;

        strbuf_adds(&text, "street = 'x'\n");
        for (int i = 0; i < 250; i++)
                strbuf_addf(&text, "unheard-of-%d = 1\n", i);
        assert_int_equal(decode(text.buf, &house, &error), -1);
        for (last = error; last->next; last = last->next)
                count++;
        assert_int_equal(count, 101);
        assert_string_equal(last->message, "150 more mistakes");
        assert_string_equal(error->message, "unknown key 'unheard-of-0'");
}

static void nobody_has_to_want_the_mistakes(void **state)
{
        _cleanup_(house_clear) struct house house = { 0 };

        assert_int_equal(decode("floors = 0\n", &house, NULL), -1);
}

static void the_reference_has_a_row_for_every_key(void **state)
{
        _cleanup_(strbuf_clear) struct strbuf text = STRBUF_INIT;

        schema_document(&house_schema, &text);
        assert_string_equal(text.buf, "| `street` | text | (required) | where |\n"
                                      "| `colour` | `red`, `green` or `blue` | red | of its walls |\n"
                                      "| `garden` | `true` or `false` | none | is there one? |\n"
                                      "| `floors` | whole number, 1 to 9 | 1 | above the ground |\n"
                                      "| `area` | size, 1.0 MiB to 8.0 GiB | 1 GiB | of its plan |\n"
                                      "| `people` | list of names, at most 3 | nobody | who lives there |\n"
                                      "| `windows` | list of widths, at most 2 | none | in centimetres |\n"
                                      "| `door` | table | none | the way in |\n");
}

int main(void)
{
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_type_reaches_its_field),
                cmocka_unit_test(a_key_that_is_not_there_leaves_its_field_alone),
                cmocka_unit_test(a_whole_number_as_a_size_is_gibibytes),
                cmocka_unit_test(every_wrong_type_is_said_in_words),
                cmocka_unit_test(values_out_of_range_are_told_the_range),
                cmocka_unit_test(items_of_lists_have_their_own_places),
                cmocka_unit_test(unknown_keys_are_told_the_nearest_one_or_all),
                cmocka_unit_test(wrong_choices_are_told_the_nearest_one),
                cmocka_unit_test(a_required_key_may_not_be_missing),
                cmocka_unit_test(what_holds_between_keys_is_checked_at_the_end),
                cmocka_unit_test(mistakes_are_sorted_by_their_place),
                cmocka_unit_test(beyond_a_hundred_mistakes_are_counted),
                cmocka_unit_test(nobody_has_to_want_the_mistakes),
                cmocka_unit_test(the_reference_has_a_row_for_every_key),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}

"""The faults that strike the queue, and the tests in which they do."""

from __future__ import annotations

__all__ = ["QUEUE"]

#: The item of the list, what happens, and the tests.
QUEUE: dict[str, tuple[str, tuple[str, ...]]] = {
    "D1": (
        "a process is killed before any of its system calls",
        (
            "tests/spool/test_kills.py::test_a_put_that_is_killed_anywhere_keeps_what_it_returned",
            "tests/spool/test_kills.py::test_a_run_that_is_killed_anywhere_neither_loses_nor_doubles",
            "tests/spool/test_kills.py::test_a_recovery_that_is_killed_anywhere_is_recovered_again",
        ),
    ),
    "D2": (
        "the power goes, at any point",
        (
            "tests/spool/test_powercut.py::test_no_power_cut_loses_or_tears_what_was_put",
            "tests/spool/test_powercut.py::test_no_power_cut_in_a_run_loses_or_doubles_a_message",
        ),
    ),
    "D3": (
        "any system call fails; the disk is full",
        (
            "tests/spool/test_kills.py::test_a_put_whose_call_fails_raises_and_leaves_nothing",
            "tests/spool/test_kills.py::test_a_run_whose_call_fails_loses_nothing",
            "tests/outbox/test_full_disk.py::test_a_full_disk_takes_no_half_message_and_is_emptied_by_a_run",
        ),
    ),
    "D4": (
        "a write takes less than it was given",
        (
            "tests/faults/test_queue.py::test_a_disk_that_writes_a_few_bytes_at_a_time_tears_nothing",
        ),
    ),
    "D5": (
        "no file descriptor is left",
        (
            "tests/fronts/test_network.py::test_a_program_without_file_descriptors_left_gets_error_10024",
            "tests/outbox/test_bulk.py::test_no_more_files_are_open_than_the_system_allows",
        ),
    ),
    "D6": (
        "the clock jumps",
        (
            "tests/faults/test_clock.py::test_a_clock_that_jumps_under_way_changes_nothing",
            "tests/spool/test_names.py::test_a_clock_that_goes_back_makes_no_earlier_name",
            "tests/spool/test_schedule.py::test_waiting_only_grows_whatever_the_clock_says",
            "tests/outbox/test_outbox.py::test_a_clock_that_was_set_back_holds_no_message",
            "tests/outbox/test_outbox.py::test_a_clock_that_was_set_forward_ends_no_message",
        ),
    ),
    "D7": (
        "many processes work on one folder, and some die",
        (
            "tests/outbox/test_crew.py::test_eight_workers_of_which_two_always_die_send_each_message_once",
        ),
    ),
    "D8": (
        "files and folders are changed by others meanwhile",
        (
            "tests/spool/test_claim.py::test_a_file_that_moves_on_between_two_steps_is_left_to_others",
            "tests/outbox/test_bulk.py::test_a_folder_that_is_exchanged_in_mid_run_stays_the_one_it_was",
            "tests/outbox/test_outbox.py::test_a_folder_that_vanished_in_mid_run_is_a_clear_error",
        ),
    ),
    "D9": (
        "a run is interrupted, or its task cancelled at any await",
        (
            "tests/outbox/test_bulk.py::test_an_interruption_gives_back_what_was_not_begun",
            "tests/faults/test_cancel.py::test_a_task_that_is_cancelled_anywhere_leaves_a_true_account",
        ),
    ),
    "D10": (
        "processes fork and spawn, an interpreter ends or is one of several, threads outlive it",
        (
            "tests/faults/test_processes.py::test_messages_and_receipts_cross_to_processes_that_send",
            "tests/faults/test_processes.py::test_what_holds_a_connection_does_not_cross_and_says_so",
            "tests/faults/test_processes.py::test_an_interpreter_ends_at_once_whatever_is_under_way",
            "tests/faults/test_processes.py::test_threads_that_are_no_daemons_bring_their_work_to_its_end",
            "tests/faults/test_processes.py::test_a_subinterpreter_sends_or_is_refused_and_the_main_one_goes_on",
            "tests/tls/test_resumption.py::test_a_forked_child_leaves_the_tickets_of_its_parent_alone",
            "tests/test_tokens.py::test_the_child_of_a_fork_does_not_wait_for_a_thread_of_its_parent",
        ),
    ),
}
